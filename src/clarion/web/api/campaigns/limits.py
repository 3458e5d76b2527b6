"""/workspace/limits: whom campaigns never reach, and how often and when they may reach anybody."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, get, patch

from clarion.accounts.actor import Scope
from clarion.campaigns.limits import caps
from clarion.campaigns.limits import limits as limits_noun
from clarion.campaigns.limits.commands import change_limits
from clarion.campaigns.limits.queries import get_limits
from clarion.campaigns.limits.quiet_hours import QuietAction
from clarion.web.api.audiences.wire import Rule
from clarion.web.api.bodies import read_object
from clarion.web.api.campaigns.wire import Category
from clarion.web.api.gate import BODY, NEEDS, Call, GivenCaller, GivenParts


def _whole(most: int) -> Any:
    return msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": most})


_CLOCK = msgspec.Meta(extra_json_schema={"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})


class Cap(msgspec.Struct, kw_only=True, omit_defaults=True):
    """At most `pushes` to one customer in so many `hours` or `days`, counted back from now. With a
    `category` only campaigns of that category count, and are stopped."""

    pushes: Annotated[int, _whole(caps.PUSHES_MAX)]
    hours: Annotated[int, _whole(caps.HOURS_MAX)] | msgspec.UnsetType | None = msgspec.UNSET
    days: Annotated[int, _whole(caps.DAYS_MAX)] | msgspec.UnsetType | None = msgspec.UNSET
    category: Category | msgspec.UnsetType | None = msgspec.UNSET


class QuietHours(msgspec.Struct, kw_only=True):
    """Between `start` and `end` on the customer's own clock a push is held until they end, or
    skipped. Over midnight where `end` is the earlier one."""

    start: Annotated[str, _CLOCK]
    end: Annotated[str, _CLOCK]
    action: QuietAction = QuietAction.HOLD


class Limits(msgspec.Struct, kw_only=True):
    """What holds for all campaigns. `exclusions`: a rule, whom no campaign reaches, not even a
    transactional one. `needs_approval`: somebody else has to approve each launch."""

    exclusions: Rule | None
    caps: list[Cap]
    quiet_hours: QuietHours | None
    needs_approval: bool


class LimitsChange(msgspec.Struct, kw_only=True):
    """What to replace, each as a whole."""

    exclusions: Rule | msgspec.UnsetType | None = msgspec.UNSET
    caps: list[Cap] | msgspec.UnsetType = msgspec.UNSET
    quiet_hours: QuietHours | msgspec.UnsetType | None = msgspec.UNSET
    needs_approval: bool | msgspec.UnsetType = msgspec.UNSET


class LimitsOfWorkspace(Controller):
    path = "/workspace/limits"
    tags = ("workspace",)

    @get("", summary="Show the limits of campaigns")
    async def show_limits(self, parts: GivenParts, caller: GivenCaller) -> Limits:
        """Whom campaigns never reach, how often they may reach one customer, and at which hours."""
        return _shown(await parts.ask(get_limits, caller))

    @patch(
        "", summary="Change the limits of campaigns", opt={BODY: LimitsChange, NEEDS: Scope.ADMIN}
    )
    async def change_limits(self, request: Call, parts: GivenParts, caller: GivenCaller) -> Limits:
        """Replaces what is named. It holds for whatever is sent from then on, also of campaigns
        that are under way. Pushes count for caps from when the first cap is set."""
        return _shown(await parts.do(change_limits, caller, await read_object(request)))


def _shown(limits: limits_noun.Limits) -> Limits:
    return msgspec.convert(limits_noun.dump(limits), Limits)
