"""A forecast of a campaign on the wire."""

from datetime import datetime

import msgspec

from clarion.audiences.query import Reach
from clarion.campaigns import preview as previews
from clarion.campaigns.preview import CampaignWarning
from clarion.clock import Moment
from clarion.deliveries.limits import forecast as forecasts
from clarion.web.api.shown import shown


class LimitsForecast(msgspec.Struct, frozen=True, kw_only=True):
    """Of the devices that would be sent a push, how many the workspace's limits would leave alone
    when it launches, each counted once: skipped because of `excluded`, `category_left`,
    `quiet_hours` or `frequency_cap`; `held` until quiet hours end. `is_estimate`: they follow from
    the first `looked_at` devices. What is pushed until then, who comes or goes, and a push that
    leaves later since it is spread or slowed down are not foreseen."""

    looked_at: int
    is_estimate: bool
    excluded: int
    category_left: int
    quiet_hours: int
    held: int
    frequency_cap: int


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign would do. `launches_at` null: this would not launch it; `launches_now`: so
    soon that nobody could stop it. `devices`: how many would be sent a push now, without a look at
    the workspace's limits; `limits`: what those would do, null where none concerns the campaign."""

    name: str
    launches_at: Moment | None
    launches_now: bool
    devices: int
    reach: Reach
    limits: LimitsForecast | None
    warnings: list[CampaignWarning]


def shown_forecast(
    expected: previews.Forecast, limited: forecasts.LimitsForecast | None, now: datetime
) -> Forecast:
    """A forecast as the API tells it."""
    name, is_soon = expected.campaign.name, expected.launches_now(now)
    limits = None if limited is None else shown(limited, LimitsForecast)
    return shown(expected, Forecast, name=name, launches_now=is_soon, limits=limits)
