"""What the pages of the schema share: the set of all tables, kinds of columns, partial indexes."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Seq = BigInteger().with_variant(Integer(), "sqlite")
Sorted = Text().with_variant(Text(collation="C"), "postgresql")
"""A text found by its beginning: an index holds it in the order of its bytes, as SQLite does."""


def only(condition: str) -> dict[str, Any]:
    """Of an index: it holds the rows for which this is true."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
