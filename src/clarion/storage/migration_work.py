"""How much work a revision does on PostgreSQL, and about how long that takes. Pure.

Nothing is read of the tables: the passes that each revision makes over those that were there before
it stand here, and how many rows a table has PostgreSQL knows by itself.
`tests/contract/test_migration_work.py` counts what the server does and holds this page to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

STEP_SECONDS = 0.04
"""What a revision takes that meets no row."""
ROUGHLY = 3
"""The estimate may be so many times too high or too low: disks and servers differ by that."""


class Pass(Enum):
    """What is done with each row of a table; the value: seconds a row takes.

    Measured for 50,000 to 500,000 rows on two cores, with all of them in memory."""

    READ = 0.6e-6
    """By the server: for an index that is made, or a sum."""
    WRITTEN = 9e-6
    """By the server: it is changed or copied, with its entries in indexes."""
    FETCHED = 6e-6
    """By Clarion, page by page, which writes little."""
    MOVED = 20e-6
    """By Clarion, page by page, which writes a row for each."""


_EVENTS_DECIDE = {"events": (Pass.WRITTEN, Pass.READ, Pass.READ, Pass.READ)}
PASSES: Mapping[str, Mapping[str, tuple[Pass, ...]]] = {
    "0010": {"deliveries": (Pass.READ,)},
    "0011": {"events": (Pass.MOVED,)},
    "0012": {"events": (Pass.READ,)},
    "0013": {**_EVENTS_DECIDE, "identifiers": (Pass.WRITTEN, Pass.WRITTEN, Pass.MOVED)},
    "0014": {"events": (Pass.FETCHED, Pass.FETCHED)},
    "0015": {"campaigns": (Pass.WRITTEN, Pass.WRITTEN), "launches": (Pass.WRITTEN, Pass.READ)},
    "0016": {"launches": (Pass.READ,)},
    "0017": {"launches": (Pass.READ,)},
    "0020": {
        "tokens": (Pass.READ,),
        "devices": (Pass.READ, Pass.READ, Pass.READ, Pass.FETCHED),
        "campaigns": (Pass.FETCHED,),
    },
    "0026": {"deliveries": (Pass.READ, Pass.READ, Pass.READ, Pass.READ)},
    "0029": {"campaigns": (Pass.READ,), "launches": (Pass.READ,)},
    "0030": {"launch_counts": (Pass.WRITTEN,)},
    "0033": {"launches": (Pass.READ,)},
    "0035": {"campaigns": (Pass.READ,), "launches": (Pass.READ,)},
}
"""By revision, then by table. A revision that is not here passes over no table."""


@dataclass(frozen=True, slots=True)
class Work:
    """What revisions have to do."""

    rows: int
    """Each as often as it is passed."""
    seconds: float


def work_of(revisions: Iterable[str], rows: Mapping[str, int]) -> Work:
    """Of the revisions, on tables of so many rows; one that is not there yet has none."""
    passed, seconds = 0, 0.0
    for revision in revisions:
        seconds += STEP_SECONDS
        for table, passes in PASSES.get(revision, {}).items():
            count = rows.get(table, 0)
            passed += count * len(passes)
            seconds += count * sum(work.value for work in passes)
    return Work(passed, seconds)
