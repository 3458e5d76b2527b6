"""Print the write key of the example's source; the source is made where there is none yet."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

NAME = "Example page"


def main() -> None:
    """Ask the `clarion` command beside this Python."""
    for source in clarion("sources", "list"):
        if source["name"] == NAME and source["revoked_at"] is None:
            print(source["write_key"])
            return
    print(clarion("sources", "create", NAME)["write_key"])


def clarion(*arguments: str) -> Any:
    """What a command prints as JSON; where it fails, it has said why."""
    command = [str(Path(sys.executable).with_name("clarion")), *arguments, "--json"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if ended.returncode:
        sys.exit(ended.returncode)
    return json.loads(ended.stdout)


if __name__ == "__main__":
    main()
