"""The types of columns as migrations from 0011 on make them: never changed, whatever becomes of
`storage/dialect.py`. `Id` and `Instant` only make columns; values pass through the other two."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine


def Id() -> TypeEngine[Any]:
    """A UUID; in SQLite sixteen bytes."""
    return sa.LargeBinary(16).with_variant(postgresql.UUID(as_uuid=True), "postgresql")


def Instant() -> TypeEngine[Any]:
    """An instant; in SQLite microseconds."""
    return sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


class IdValue(sa.TypeDecorator[UUID]):
    """An `Id` that a migration reads and writes values of."""

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        is_postgresql = dialect.name == "postgresql"
        kind = postgresql.UUID(as_uuid=True) if is_postgresql else sa.LargeBinary(16)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: UUID | None, dialect: sa.Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else value.bytes

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else UUID(bytes=value)


class InstantValue(sa.TypeDecorator[datetime]):
    """An `Instant` that a migration reads and writes values of."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        is_postgresql = dialect.name == "postgresql"
        kind = postgresql.TIMESTAMP(timezone=True) if is_postgresql else sa.BigInteger()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return _EPOCH + value * _MICROSECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
