"""/freshness: how long ago devices were registered, what the sweeper will remove, what it did."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.workspace import STALE_DAYS_MAX
from clarion.accounts.workspace_store import get_workspace
from clarion.customers.devices import token_age_store as freshness_store
from clarion.customers.devices.device import Platform
from clarion.customers.devices.token_age import DUE_AFTER_DAYS, CohortBy, edges
from clarion.customers.profile.store import user_ids_of
from clarion.web.api.devices import Owner
from clarion.web.api.errors import not_found
from clarion.web.api.gate import GivenCaller, GivenParts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    after_moment,
    after_seq,
    moment_key,
    page,
    whole,
)

AHEAD_DAYS_MAX = 365
SWEPT_DAYS_DEFAULT = 30

StaleAfter = Annotated[
    int | None,
    QueryParameter(
        ge=1,
        le=STALE_DAYS_MAX,
        description="As if this were the workspace's `stale_after_days`.",
    ),
]
By = Annotated[CohortBy, QueryParameter(description="What devices are put together by.")]
Ahead = Annotated[
    int,
    QueryParameter(
        ge=0,
        le=AHEAD_DAYS_MAX,
        description="As of so many days from now, if no app refreshes anything until then.",
    ),
]


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """Devices that have something in common; `value` null: not known of them. `removed` were
    swept and have not come back; `notifications_off`: those fresh, due or stale whose person has
    turned notifications off."""

    value: str | None
    fresh: int
    due: int
    stale: int
    removed: int
    fresh_share: float
    notifications_off: int


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How long ago registrations were refreshed. Fresh: up to `due_after_days` days ago; due: up to
    `stale_after_days`; stale: the next sweep removes it. The largest cohorts come first."""

    by: CohortBy
    due_after_days: int
    stale_after_days: int
    cohorts: list[Cohort]


class SweepPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep would remove: registrations last refreshed before `registered_before`."""

    stale_after_days: int
    registered_before: Moment
    devices: int
    platforms: dict[Platform, int]


class StaleDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A registration that a sweep would remove, and when it was last refreshed."""

    device_id: str
    platform: Platform
    registered_at: Moment
    last_seen_at: Moment
    source_id: UUID
    customer: Owner


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """A registration that a sweep removed, and whose it was. It lives again once its app registers
    again."""

    at: Moment
    device_id: str
    customer: Owner | None


class SweptDay(msgspec.Struct, frozen=True, kw_only=True):
    """How many registrations were swept on a day (UTC)."""

    day: Moment
    removed: int


class Freshnesses(Controller):
    path = "/freshness"
    tags = ("freshness",)

    @get("", summary="Show how fresh registrations are")
    async def show(
        self, parts: GivenParts, caller: GivenCaller, by: By = CohortBy.PLATFORM
    ) -> Freshness:
        """Cohorts of devices, so that an app that does not refresh is seen before its base is
        gone."""
        now = parts.clock.now()
        async with parts.database.read() as connection:
            days = await _stale_after_days(connection, caller.workspace_id, None)
            found = await freshness_store.cohorts(
                connection, caller.workspace_id, by, edges(now, days)
            )
        return Freshness(
            by=by,
            due_after_days=min(DUE_AFTER_DAYS, days),
            stale_after_days=days,
            cohorts=[
                Cohort(
                    value=one.value,
                    fresh=one.fresh,
                    due=one.due,
                    stale=one.stale,
                    removed=one.removed,
                    fresh_share=round(one.fresh_share, 4),
                    notifications_off=one.notifications_off,
                )
                for one in found
            ],
        )

    @get("/preview", summary="Preview a sweep")
    async def preview(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        stale_after_days: StaleAfter = None,
        in_days: Ahead = 0,
    ) -> SweepPreview:
        """How many registrations a sweep would remove. Nothing is removed by asking."""
        async with parts.database.read() as connection:
            days = await _stale_after_days(connection, caller.workspace_id, stale_after_days)
            before = _before(parts.clock.now(), days, in_days)
            platforms = await freshness_store.count_stale(
                connection, caller.workspace_id, registered_before=before
            )
        return SweepPreview(
            stale_after_days=days,
            registered_before=before,
            devices=sum(platforms.values()),
            platforms=platforms,
        )

    @get("/stale", summary="List what a sweep would remove")
    async def stale(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        stale_after_days: StaleAfter = None,
        in_days: Ahead = 0,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[StaleDevice]:
        """The registrations of the preview, those refreshed longest ago first."""
        async with parts.database.read() as connection:
            days = await _stale_after_days(connection, caller.workspace_id, stale_after_days)
            found = await freshness_store.list_stale(
                connection,
                caller.workspace_id,
                registered_before=_before(parts.clock.now(), days, in_days),
                after=after_moment(cursor),
                limit=limit + 1,
            )
            ids = {one.customer_id for one in found}
            owners = await user_ids_of(connection, caller.workspace_id, ids)

        def shown(one: freshness_store.StaleDevice) -> StaleDevice:
            return StaleDevice(
                device_id=one.device_id,
                platform=one.platform,
                registered_at=one.registered_at,
                last_seen_at=one.last_seen_at,
                source_id=one.source_id,
                customer=Owner(id=one.customer_id, user_id=owners.get(one.customer_id)),
            )

        return page(found, limit, shown, lambda one: moment_key(one.registered_at, one.id))

    @get("/swept", summary="List what sweeps removed")
    async def swept(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Swept]:
        """Registrations that sweeps removed, the last ones first."""
        async with parts.database.read() as connection:
            found = await freshness_store.list_swept(
                connection, caller.workspace_id, before_seq=after_seq(cursor), limit=limit + 1
            )
            ids = {one.customer_id for one in found if one.customer_id is not None}
            owners = await user_ids_of(connection, caller.workspace_id, ids)

        def shown(one: freshness_store.Swept) -> Swept:
            owner = None
            if one.customer_id is not None:
                owner = Owner(id=one.customer_id, user_id=owners.get(one.customer_id))
            return Swept(at=one.at, device_id=one.device_id, customer=owner)

        return page(found, limit, shown, lambda one: one.seq)

    @get("/swept/days", summary="Count what sweeps removed, by day")
    async def swept_days(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        days: Annotated[
            int, QueryParameter(ge=1, le=AHEAD_DAYS_MAX, description="How many days back.")
        ] = SWEPT_DAYS_DEFAULT,
    ) -> Page[SweptDay]:
        """One number for each day on which anything was removed, the newest day first."""
        since = parts.clock.now() - timedelta(days=days)
        async with parts.database.read() as connection:
            found = await freshness_store.swept_days(connection, caller.workspace_id, since=since)
        return whole([SweptDay(day=one.day, removed=one.removed) for one in found])


def _before(now: datetime, stale_after_days: int, in_days: int) -> datetime:
    return now + timedelta(days=in_days) - timedelta(days=stale_after_days)


async def _stale_after_days(
    connection: AsyncConnection, workspace_id: UUID, asked: int | None
) -> int:
    if asked is not None:
        return asked
    workspace = await get_workspace(connection, workspace_id)
    if workspace is None:
        raise not_found("workspace")
    return workspace.stale_after_days
