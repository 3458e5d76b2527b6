"""What an erasure removes is found by index: the installations of a device, those that moved away
from one, the campaigns whose audience names a person, the jobs that were put aside.

What is new is filled from devices and campaigns, page by page.

Revision ID: 0020
Revises: 0019
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from clarion.storage.migrations.frozen_types import IdValue

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_PAGE = 2_000
_KINDS = ("fcm", "fid", "apns")
_NAMING_TRAITS = ("email", "phone")
_NAME_CHARACTERS_MAX = 200

_devices = sa.table(
    "devices",
    sa.column("id", IdValue()),
    *(
        sa.column(name, sa.Text())
        for name in ("reason", "token_kind", "installation_hash", "token_hash")
    ),
    sa.column("spares", sa.JSON()),
    *(sa.column(f"moved_{kind}", sa.Text()) for kind in _KINDS),
)
_campaigns = sa.table(
    "campaigns",
    sa.column("id", IdValue()),
    sa.column("workspace_id", IdValue()),
    sa.column("audience", sa.JSON()),
)


def upgrade() -> None:
    connection = op.get_bind()
    op.create_index("tokens_device", "tokens", ["workspace_id", "device_id"])
    _create_index_where("jobs_rejected", "jobs", ["kind", "id"], "rejected_reason IS NOT NULL")
    for kind in _KINDS:
        op.add_column("devices", sa.Column(f"moved_{kind}", sa.Text(), nullable=True))
    _fill_devices(connection)
    for kind in _KINDS:
        _create_index_where(
            f"devices_moved_{kind}",
            "devices",
            ["workspace_id", f"moved_{kind}"],
            f"moved_{kind} IS NOT NULL",
        )
    names = op.create_table(
        "campaign_names",
        sa.Column("workspace_id", IdValue(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("campaign_id", IdValue(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "name", "campaign_id"),
        sqlite_with_rowid=False,
    )
    for page in _pages(connection, _campaigns, sa.true()):
        rows = [name for campaign in page for name in _named_by(campaign)]
        if rows:
            op.bulk_insert(names, rows)
    op.create_index("campaign_names_campaign", "campaign_names", ["campaign_id"])


def _create_index_where(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _fill_devices(connection: sa.Connection) -> None:
    may_have_lost = sa.or_(_devices.c.reason == "token_moved", _devices.c.spares.is_not(None))
    for page in _pages(connection, _devices, may_have_lost):
        for device in page:
            if moved := _moved_from(device):
                connection.execute(
                    sa.update(_devices).where(_devices.c.id == device.id).values(moved)
                )


def _pages(
    connection: sa.Connection, table: sa.TableClause, which: sa.ColumnElement[bool]
) -> Iterator[Any]:
    statement = sa.select(table).where(which).order_by(table.c.id).limit(_PAGE)
    page = connection.execute(statement).all()
    while page:
        yield page
        page = connection.execute(statement.where(table.c.id > page[-1].id)).all()


def _moved_from(device: Any) -> dict[str, str]:
    """Column by column, the installations that the device has lost to another."""
    registrations = [
        (spare["token_kind"], spare["reason"], spare["installation_hash"])
        for spare in device.spares or ()
    ]
    current = device.installation_hash or device.token_hash
    registrations.append((device.token_kind, device.reason, current))
    return {
        f"moved_{kind}": installation
        for kind, reason, installation in registrations
        if reason == "token_moved"
    }


def _named_by(campaign: Any) -> list[dict[str, Any]]:
    """Whom a campaign's audience names."""
    traits = campaign.audience.get("traits", {})
    names = {str(traits[name]) for name in _NAMING_TRAITS if traits.get(name) is not None}
    names.update(campaign.audience.get("user_ids", ()))
    return [
        {"workspace_id": campaign.workspace_id, "name": name, "campaign_id": campaign.id}
        for name in sorted({name[:_NAME_CHARACTERS_MAX] for name in names})
    ]
