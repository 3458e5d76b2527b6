"""A pause of a Firebase app that ends by itself, and when FCM last took a push.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.dialect import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("firebase_apps", sa.Column("paused_at", Instant(), nullable=True))
    op.add_column("firebase_apps", sa.Column("tries_again_at", Instant(), nullable=True))
    op.add_column("removal_watches", sa.Column("accepted_at", Instant(), nullable=True))
