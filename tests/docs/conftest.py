"""The package `docs` lies beside `src`: the tests of this folder may import it."""

import sys

from support.pages import ROOT

sys.path.insert(0, str(ROOT))
