"""The order of events: by the clock of whoever sent them, and their place in a call.

Columns alone; what is there already keeps the order it has, by its corrected time.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.dialect import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("clock_at", Instant(), nullable=True))
    op.add_column("events", sa.Column("order_at", Instant(), nullable=True))
    for name in ("is_named", "is_known"):
        op.add_column(
            "identifiers",
            sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False),
        )
    op.add_column(
        "claims", sa.Column("sender", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("claims", sa.Column("ahead", sa.BigInteger(), nullable=True))
    op.add_column("devices", sa.Column("order_at", Instant(), nullable=True))
