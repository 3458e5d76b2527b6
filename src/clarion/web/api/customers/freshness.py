"""/freshness: how long ago devices were registered, what the sweeper will remove, what it did."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from clarion.accounts.workspace import STALE_DAYS_MAX
from clarion.clock import Moment
from clarion.customers.devices.device import Platform
from clarion.customers.devices.freshness.token_age import CohortBy
from clarion.customers.devices.freshness.token_age_store import SweptDay
from clarion.customers.devices.queries import (
    SweepPreview,
    list_stale,
    list_swept,
    preview_sweep,
    swept_days,
    token_ages,
)
from clarion.web.api.customers.devices import Owner
from clarion.web.api.gate import GivenCaller, GivenParts
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
from clarion.web.api.shown import shown

AHEAD_DAYS_MAX = 365
SWEPT_DAYS_DEFAULT = 30

StaleAfter = Annotated[
    int | None,
    QueryParameter(
        ge=1, le=STALE_DAYS_MAX, description="As if this were the workspace's `stale_after_days`."
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


class Freshnesses(Controller):
    path = "/freshness"
    tags = ("freshness",)

    @get("", summary="Show how fresh registrations are")
    async def show(
        self, parts: GivenParts, caller: GivenCaller, by: By = CohortBy.PLATFORM
    ) -> Freshness:
        """Cohorts of devices, so that an app that does not refresh is seen before its base is
        gone."""
        ages = await parts.ask(token_ages, caller, by, parts.clock.now())
        return shown(ages, Freshness)

    @get("/preview", summary="Preview a sweep")
    async def preview(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        stale_after_days: StaleAfter = None,
        in_days: Ahead = 0,
    ) -> SweepPreview:
        """How many registrations a sweep would remove. Nothing is removed by asking."""
        return await parts.ask(
            preview_sweep,
            caller,
            parts.clock.now(),
            stale_after_days=stale_after_days,
            in_days=in_days,
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
        devices = await parts.ask(
            list_stale,
            caller,
            parts.clock.now(),
            stale_after_days=stale_after_days,
            in_days=in_days,
            after=after_moment(cursor),
            limit=limit + 1,
        )
        return page(
            devices,
            limit,
            lambda listed: shown(listed[0], StaleDevice, customer=listed[1]),
            lambda listed: moment_key(listed[0].registered_at, listed[0].id),
        )

    @get("/swept", summary="List what sweeps removed")
    async def swept(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Swept]:
        """Registrations that sweeps removed, the last ones first."""
        swept = await parts.ask(list_swept, caller, before_seq=after_seq(cursor), limit=limit + 1)
        return page(
            swept,
            limit,
            lambda listed: shown(listed[0], Swept, customer=listed[1]),
            lambda listed: listed[0].seq,
        )

    @get("/swept/days", summary="Count what sweeps removed, by day")
    async def swept_days(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        days: Annotated[
            int, QueryParameter(ge=0, le=AHEAD_DAYS_MAX, description="How many days back.")
        ] = SWEPT_DAYS_DEFAULT,
    ) -> Page[SweptDay]:
        """One number for each day on which anything was removed, the newest day first."""
        swept = await parts.ask(swept_days, caller, days=days, now=parts.clock.now())
        return whole(swept)
