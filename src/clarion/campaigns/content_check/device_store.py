"""Customers and devices that a content is tried out on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.query import devices_of
from clarion.audiences.rule import Rule
from clarion.campaigns.content.language import LOCALE_FACT
from clarion.customers.devices.device import Platform
from clarion.storage.schema import customers, devices

_IDS = 2**128


class SampledDevice(Struct, frozen=True, kw_only=True):
    """A device with whose it is, as far as a content asks for it."""

    device_id: UUID
    customer_id: UUID
    platform: str
    locale: str | None
    user_id: str | None
    traits: Mapping[str, Any]


async def sample_devices(
    connection: AsyncConnection,
    workspace_id: UUID,
    rule: Rule,
    *,
    now: datetime,
    chance: float,
    limit: int,
) -> Sequence[SampledDevice]:
    """At most `limit` devices that a rule (its audiences resolved) reaches and whose customers take
    pushes, from a place on that `chance` (in [0, 1)) says. Ids are hashes: they are of all ages."""
    start = UUID(int=int(chance * _IDS))
    sample: dict[UUID, SampledDevice] = {}
    for after in (start, None):
        page = devices_of(workspace_id, rule, now=now, after=after, limit=limit - len(sample))
        rows = await connection.execute(
            page.add_columns(devices.c.facts, customers.c.user_id, customers.c.traits)
        )
        for row in rows:
            if not row.push_opted_out:
                sample[row.id] = _device(row)
        if len(sample) >= limit:
            break
    return list(sample.values())


async def locales_of(
    connection: AsyncConnection, workspace_id: UUID, customer_id: UUID
) -> dict[str, str | None]:
    """The locale of a customer's device on each platform where they have one: the one seen last."""
    rows = await connection.execute(
        select(devices.c.platform, devices.c.facts)
        .where(
            devices.c.workspace_id == workspace_id,
            devices.c.customer_id == customer_id,
            devices.c.state == literal_column("'active'"),
        )
        .order_by(devices.c.last_seen_at, devices.c.id)
    )
    return {row.platform: (row.facts or {}).get(LOCALE_FACT) for row in rows}


def locale_on(platform: Platform, locales: Mapping[str, str | None]) -> str | None:
    """Of `locales_of`; a platform on which they have no device is shown as another one."""
    if platform.value in locales:
        return locales[platform.value]
    return next((locale for locale in locales.values() if locale is not None), None)


def _device(row: Any) -> SampledDevice:
    return SampledDevice(
        device_id=row.id,
        customer_id=row.customer_id,
        platform=row.platform,
        locale=(row.facts or {}).get(LOCALE_FACT),
        user_id=row.user_id,
        traits=row.traits or {},
    )
