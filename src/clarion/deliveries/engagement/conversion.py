"""Whether what a customer did is what their pushes of one launch were to lead to. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace


class AcceptedPush(Struct, frozen=True, kw_only=True):
    """A push of one launch to one device of a customer, which the provider took."""

    launch_id: UUID
    device_id: UUID
    platform: str
    reason: str | None
    accepted_at: datetime
    received_at: datetime | None
    opened_at: datetime | None
    converted_at: datetime | None = None
    language: str | None = None


def convert(pushes: Sequence[AcceptedPush], at: datetime, window: timedelta) -> AcceptedPush | None:
    """The one of a customer's pushes of one launch that now stands for their conversion at `at`;
    None: nothing changes.

    A customer counts once, whatever came in which order: with the first push that led to it, and
    at the earliest time that is known of that push.
    """
    counted = next((push for push in pushes if push.converted_at is not None), None)
    if counted is not None:
        assert counted.converted_at is not None
        is_earlier = at < counted.converted_at and _leads_to(counted, at, window)
        return replace(counted, converted_at=at) if is_earlier else None
    leading = [push for push in pushes if _leads_to(push, at, window)]
    if not leading:
        return None
    first = min(leading, key=lambda push: (push.accepted_at, push.device_id))
    return replace(first, converted_at=at)


def _leads_to(push: AcceptedPush, at: datetime, window: timedelta) -> bool:
    """The provider's answer is noted a moment after the push: where its app has reported it before
    that, the window begins then."""
    known = (push.accepted_at, push.received_at, push.opened_at)
    began_at = min(moment for moment in known if moment is not None)
    return began_at <= at <= push.accepted_at + window
