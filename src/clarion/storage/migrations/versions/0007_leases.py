"""Leader leases of agents, and the fence of an erasure.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.dialect import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("renewals", sa.BigInteger(), nullable=False),
        sa.Column("renewed_at", Instant(), nullable=True),
    )
    op.add_column(
        "erasures", sa.Column("attempt", sa.Integer(), nullable=False, server_default="0")
    )
