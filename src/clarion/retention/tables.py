"""What is removed when it is old: the list. Another table is another entry."""

from dataclasses import dataclass

from clarion.accounts.audit_store import AUDIT_BY_AGE
from clarion.accounts.retention import Retained
from clarion.deliveries.pushes.store import PUSHES_BY_AGE
from clarion.deliveries.retention_store import CHUNKS_BY_AGE, AgedDeliveries
from clarion.ingest_log.store import LOG_BY_AGE
from clarion.retention.aged_event_store import AgedEvents
from clarion.storage.aged import Aged


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainedTable:
    """`rows` go when their `kind` does. `is_counted`: a preview tells how many."""

    kind: Retained
    rows: Aged
    is_counted: bool = True


def retained_tables() -> tuple[RetainedTable, ...]:
    """For one remover, or one look at what it would do."""
    return (
        RetainedTable(kind=Retained.EVENTS, rows=AgedEvents()),
        RetainedTable(kind=Retained.DELIVERIES, rows=AgedDeliveries()),
        RetainedTable(kind=Retained.DELIVERIES, rows=CHUNKS_BY_AGE, is_counted=False),
        RetainedTable(kind=Retained.DELIVERIES, rows=PUSHES_BY_AGE, is_counted=False),
        RetainedTable(kind=Retained.INGEST_LOG, rows=LOG_BY_AGE),
        RetainedTable(kind=Retained.AUDIT, rows=AUDIT_BY_AGE),
    )
