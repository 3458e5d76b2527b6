"""Fetch what the tests need besides Python's packages, before any of them: `python -m fakes.fetch`.

Where npm cannot be reached, that is said here, once.
"""

import sys

from fakes import npm
from fakes.chromium import CLIENTS, unpack
from fakes.pages import ROOT


def main() -> None:
    """Ends with 1 and one sentence where something cannot be had."""
    try:
        npm.installed(CLIENTS, then=unpack)
        npm.installed(ROOT / "examples" / "web")
    except npm.NpmFailed as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
