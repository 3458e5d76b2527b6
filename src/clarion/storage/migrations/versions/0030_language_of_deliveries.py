"""In which language the text of a delivery is, and a launch's counts by it.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import Id

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_COUNTED = ("count", "received", "opened", "attempts", "unanswered")
_KEY = ("launch_id", "platform", "state", "reason", "language")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("language", sa.Text(), nullable=True))
    language = sa.Column("language", sa.Text(), nullable=False, server_default="")
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("launch_counts", language)
        op.drop_constraint("launch_counts_pkey", "launch_counts")
        op.create_primary_key("launch_counts_pkey", "launch_counts", [*_KEY])
        return
    # SQLite changes no key: the table is made again. It holds a few dozen rows a launch.
    op.create_table(
        "launch_counts_moved",
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTED),
        sa.Column("converted", sa.Integer(), nullable=False, server_default="0"),
        language,
        sa.PrimaryKeyConstraint(*_KEY),
        sqlite_with_rowid=False,
    )
    columns = ", ".join((*_KEY[:-1], *_COUNTED, "converted"))
    op.execute(
        f"INSERT INTO launch_counts_moved ({columns}) SELECT {columns} FROM launch_counts"  # noqa: S608
    )
    op.drop_table("launch_counts")
    op.rename_table("launch_counts_moved", "launch_counts")
