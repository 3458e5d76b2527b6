"""Links by which somebody who has forgotten their password chooses another.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.dialect import Id, Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "password_resets",
        sa.Column("person_id", Id(), primary_key=True),
        sa.Column("token_hash", sa.Text(), nullable=False, unique=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
    )
