"""People: who they are, where they may work, their sessions and invitations.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from clarion.storage.dialect import Id, Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("email", sa.Text(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
    )
    op.create_table(
        "memberships",
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("deactivated_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", "workspace_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("memberships_workspace", "memberships", ["workspace_id", "person_id"])
    op.create_table(
        "sessions",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("token_hash", sa.Text(), nullable=False, unique=True),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("browser", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=False),
    )
    op.create_index("sessions_person", "sessions", ["person_id", "id"])
    op.create_table(
        "invitations",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("workspace_id", Id(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False, unique=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
    )
    op.create_index("invitations_workspace", "invitations", ["workspace_id", "id"])
    op.create_table(
        "sign_in_tries",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
    )
    op.create_index("sign_in_tries_begun", "sign_in_tries", ["begun_at"])
