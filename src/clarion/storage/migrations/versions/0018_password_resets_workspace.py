"""Whose admin made a password reset. Databases of some days have the column from 0008 already.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import Id

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = {
        column["name"] for column in sa.inspect(op.get_bind()).get_columns("password_resets")
    }
    if "workspace_id" not in columns:
        op.add_column("password_resets", sa.Column("workspace_id", Id(), nullable=True))
