"""The types of columns as migrations from 0003 on make them: never changed, whatever becomes of
`storage/dialect.py`. They only make columns; no value passes through them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine


def Id() -> TypeEngine[Any]:
    """A UUID; in SQLite sixteen bytes."""
    return sa.LargeBinary(16).with_variant(postgresql.UUID(as_uuid=True), "postgresql")


def Instant() -> TypeEngine[Any]:
    """An instant; in SQLite microseconds."""
    return sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
