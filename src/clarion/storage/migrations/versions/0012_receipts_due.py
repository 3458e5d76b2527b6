"""What the attributor has still to do, in a table of its own: no event is marked any more.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipts_due",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.execute("INSERT INTO receipts_due (seq) SELECT seq FROM events WHERE receipt = 'pending'")
    op.drop_index("events_receipt", table_name="events")
    op.drop_column("events", "receipt")
