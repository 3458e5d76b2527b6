"""/workspace/retention: how long the workspace keeps what grows, and what goes next."""

from typing import Annotated

import msgspec
from litestar import Controller, get, patch
from litestar.params import QueryParameter

from clarion.accounts.actor import Scope
from clarion.accounts.commands import change_retention
from clarion.accounts.retention import DAYS_MAX, Retained
from clarion.clock import Moment
from clarion.retention.queries import get_retention, preview_retention
from clarion.web.api.bodies import read
from clarion.web.api.gate import BODY, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.pages import Page, whole
from clarion.web.api.shown import shown

Days = Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": DAYS_MAX})]
AsIf = Annotated[
    int | None,
    QueryParameter(ge=1, le=DAYS_MAX, description="As if these were the workspace's days for it."),
]


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Days to keep each kind; null: for ever. Of a delivery they count from the end of its launch,
    of the others from when they came."""

    events: Days | None
    deliveries: Days | None
    ingest_log: Days | None
    audit: Days | None


class RetentionChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Kinds to keep for another number of days; null: for ever."""

    events: Days | msgspec.UnsetType | None = msgspec.UNSET
    deliveries: Days | msgspec.UnsetType | None = msgspec.UNSET
    ingest_log: Days | msgspec.UnsetType | None = msgspec.UNSET
    audit: Days | msgspec.UnsetType | None = msgspec.UNSET


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """What the next run removes of one kind: what is older than `before`; null: nothing is."""

    kind: Retained
    days: int | None
    before: Moment | None
    rows: int


class RetentionOfWorkspace(Controller):
    path = "/workspace/retention"
    tags = ("workspace",)

    @get("", summary="Show what is kept how long")
    async def show_retention(self, parts: GivenParts, caller: GivenCaller) -> Retention:
        """How many days the workspace keeps each kind."""
        return shown(await parts.ask(get_retention, caller), Retention)

    @patch(
        "", summary="Change what is kept how long", opt={BODY: RetentionChange, NEEDS: Scope.ADMIN}
    )
    async def change_retention(
        self, request: Call, parts: GivenParts, caller: GivenCaller
    ) -> Retention:
        """Changes the days of the kinds that are named. What is older is removed within an hour,
        and can not be brought back: look at the preview first."""
        change = await read(request, RetentionChange)
        wanted = {
            name: value
            for name, value in msgspec.structs.asdict(change).items()
            if value is not msgspec.UNSET
        }
        return shown(await parts.do(change_retention, caller, wanted), Retention)

    @get("/preview", summary="Preview what is removed")
    async def preview_retention(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        events: AsIf = None,
        deliveries: AsIf = None,
        ingest_log: AsIf = None,
        audit: AsIf = None,
    ) -> Page[Removal]:
        """What the next run removes of each kind, with the workspace's days or others. Nothing is
        removed by asking. Always one page."""
        given = {
            "events": events,
            "deliveries": deliveries,
            "ingest_log": ingest_log,
            "audit": audit,
        }
        as_if = {kind: days for kind, days in given.items() if days is not None}
        removals = await parts.ask(preview_retention, caller, as_if, now=parts.clock.now())
        return whole([shown(removal, Removal) for removal in removals])
