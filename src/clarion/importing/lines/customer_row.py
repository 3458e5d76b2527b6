"""A customer's line of an imported file as the identifies that say the same. Pure."""

from collections.abc import Mapping
from typing import Any

from clarion.events.messages.push_preference import is_excluded, push_preference
from clarion.faults import Rejected
from clarion.importing.lines.columns import (
    ANONYMOUS_ID,
    AT,
    LEFT_OUT,
    MESSAGE_ID,
    SOURCE,
    USER_ID,
    damaged_id,
    first_of,
)

_NO_TRAITS = frozenset(
    (*USER_ID, *ANONYMOUS_ID, *AT, *MESSAGE_ID, "id", "key", "traits", "push_opted_out",
     "first_seen_at", "last_seen_at", "suppressed_at", SOURCE, LEFT_OUT)
)  # fmt: skip


def identifies(record: Mapping[str, Any]) -> list[dict[str, Any]] | Rejected:
    """What a customer's line says: when they were seen first, that they want no push, what is known
    of them."""
    damaged = damaged_id(record, (*USER_ID, *ANONYMOUS_ID))
    if damaged is not None:
        return damaged
    user_id, anonymous_id = first_of(record, USER_ID), first_of(record, ANONYMOUS_ID)
    if user_id is None and anonymous_id is None:
        return Rejected(code="user_id_missing", message="A customer needs a user_id.")
    if record.get("suppressed_at"):
        return Rejected(
            code="customer_suppressed",
            message="This customer asked not to be followed, so nothing of them is taken in. "
            "Should they be known here, leave `suppressed_at` out, and suppress them afterwards.",
        )
    given = record.get("traits")
    if given is not None and not isinstance(given, Mapping):
        return Rejected(
            code="traits_no_object",
            message="`traits` must be an object (in CSV a column `traits:json`).",
        )
    traits = dict(given or {})
    traits |= {name: value for name, value in record.items() if name not in _NO_TRAITS}
    who = {"type": "identify", "userId": user_id, "anonymousId": anonymous_id}
    who = {name: value for name, value in who.items() if value is not None}
    last_at = first_of(record, (*AT, "last_seen_at"))
    first_at = record.get("first_seen_at")
    earlier: list[dict[str, Any]] = []
    if first_at and first_at != last_at:
        earlier.append(who | {"timestamp": first_at})
    if _is_opted_out(record) and not _say_no(traits):
        channels = [{"channel": "push", "subscribed": False}]
        if first_at or "marketingPreferences" in traits:
            # They said it once, and have other preferences, or none, by now.
            preferences = {"marketingPreferences": {"channels": channels}}
            earlier.append(who | {"timestamp": last_at, "traits": preferences})
            traits.setdefault("marketingPreferences", None)
        else:
            traits["marketingPreferences"] = {"channels": channels}
    message_id = first_of(record, MESSAGE_ID)
    return [*earlier, who | {"messageId": message_id, "timestamp": last_at, "traits": traits}]


def _is_opted_out(record: Mapping[str, Any]) -> bool:
    return str(record.get("push_opted_out")).lower() in ("true", "yes", "1")


def _say_no(traits: Mapping[str, Any]) -> bool:
    """Whether traits themselves say that no push is wanted."""
    return is_excluded(traits) or push_preference(traits) is False
