"""Fetch what tests need besides Python packages, before any of them: `python -m support.fetch`.

Where npm cannot be reached, that is said here, once.
"""

import sys

from support import npm
from support.chromium import CLIENTS, unpack
from support.pages import ROOT


def main() -> None:
    """Ends with 1 and one sentence where something cannot be had."""
    try:
        npm.installed(CLIENTS, then=unpack)
        npm.installed(ROOT / "examples" / "web")
    except npm.NpmFailed as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
