"""How each person reads: time zone, locale, colours, single keys.

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("time_zone", sa.Text(), nullable=True))
    op.add_column("people", sa.Column("locale", sa.Text(), nullable=True))
    op.add_column("people", sa.Column("theme", sa.Text(), nullable=True))
    op.add_column("people", sa.Column("single_keys", sa.Boolean(), nullable=True))
