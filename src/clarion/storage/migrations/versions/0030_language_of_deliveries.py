"""In which language the text of a delivery is, a launch's counts by it, and who made an API key.

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
    op.add_column("api_keys", sa.Column("made_by", Id(), nullable=True))
    op.add_column("deliveries", sa.Column("language", sa.Text(), nullable=True))
    # Made again, with the new column among those of the key: SQLite changes no key, and before 3.42
    # its quick check takes a key's column behind others for damage. It holds a few dozen rows a
    # launch.
    op.create_table(
        "launch_counts_moved",
        sa.Column("launch_id", Id(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False, server_default=""),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTED),
        sa.Column("converted", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint(*_KEY),
        sqlite_with_rowid=False,
    )
    columns = ", ".join((*_KEY[:-1], *_COUNTED, "converted"))
    op.execute(
        f"INSERT INTO launch_counts_moved ({columns}) SELECT {columns} FROM launch_counts"  # noqa: S608
    )
    op.drop_table("launch_counts")
    op.rename_table("launch_counts_moved", "launch_counts")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE launch_counts RENAME CONSTRAINT launch_counts_moved_pkey "
            "TO launch_counts_pkey"
        )
