"""What templates read that is the same for all customers of a launch: `campaign`, `event`, and the
time zone of the workspace. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

OF_CAMPAIGN = ("id", "name", "code", "category", "launched_at")
"""What `campaign` has in a template; nothing else of a campaign is shown to customers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchValues:
    """`campaign`: by the names of `OF_CAMPAIGN`, None where there is none. `event`: what a push to
    one customer was asked for with. `zone`: in which dates are written unless the template says
    another one; None: each as it came, numbers in UTC."""

    campaign: Mapping[str, Any] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)
    zone: str | None = None


NO_LAUNCH = LaunchValues()
"""Of a content that is of no campaign."""


def campaign_values(
    campaign_id: UUID, name: str, code: str | None, category: str | None, launched_at: datetime
) -> dict[str, Any]:
    """`campaign` as a template reads it. `launched_at`: when its launch began, as ISO 8601 in UTC;
    of what is only looked at, now."""
    at = launched_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    values = (str(campaign_id), name or None, code, category, f"{at}Z")
    return dict(zip(OF_CAMPAIGN, values, strict=True))
