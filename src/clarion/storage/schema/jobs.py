"""The tables of jobs that wait in the database, and of who leads an agent."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from clarion.storage.dialect import Instant
from clarion.storage.schema.columns import Seq, metadata, only

jobs = Table(
    "jobs",
    metadata,
    Column("id", Seq, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("key", Text),
    Column("available_at", Instant, nullable=False),
    Column("delivery_count", Integer, nullable=False, server_default="0"),
    Column("published_at", Instant, nullable=False),
    Column("rejected_reason", Text),
    Index("jobs_due", "kind", "available_at", **only("rejected_reason IS NULL")),
    Index("jobs_rejected", "kind", "id", **only("rejected_reason IS NOT NULL")),
)

job_keys = Table(
    "job_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("published_at", Instant, nullable=False),
)

leases = Table(  # who runs an agent of which only one may work at a time
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),  # NULL: given back
    Column("fence", BigInteger, nullable=False),  # counts the times that it was taken
    Column("renewals", BigInteger, nullable=False),  # since then: that it grows shows life
    Column("renewed_at", Instant),  # by the holder's clock, for people: nothing compares it
)
