"""PostHog's persons, one of `GET /api/projects/{id}/persons/` a line; and the file of tokens that
its own import takes: CSV with `distinct_id`, `device_token` and `platform`. Pure.

PostHog keeps tokens encrypted in the properties `$device_push_subscription_…` of a person, so none
can be read from its persons: tokens come from the file that they were imported with, or from your
own systems. That file's columns are an assumption (its documents name the two values, not the
columns).
"""

import re
from collections.abc import Mapping
from typing import Any

from clarion.faults import Rejected
from clarion.importing.services.service_row import (
    ServiceRow,
    customer_record,
    device_id_of,
    device_record,
    fault_of_token,
    object_of,
    text_of,
)

NAMES = {"distinct_id": "user_id", "device_token": "token"}
_PLATFORMS = {"ios": "iOS", "android": "Android", "web": "Web"}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4,12}){4}", re.IGNORECASE)


def read(record: Mapping[str, Any]) -> ServiceRow | Rejected:
    """A person with their properties, or a token of one."""
    properties = {
        name: value
        for name, value in object_of(record.get("properties")).items()
        if not name.startswith("$")
    }
    user_id = text_of(record.get("user_id")) or _person(record.get("distinct_ids"))
    if user_id is None:
        return Rejected(
            code="user_id_missing",
            message="A person needs a distinct_id that your app has given: ids that PostHog makes "
            "for strangers are left out.",
        )
    if "properties" in record or "distinct_ids" in record:
        return ServiceRow(customer=customer_record(user_id, None, properties))
    said = (text_of(record.get("platform")) or "android").lower()
    platform = _PLATFORMS.get(said)
    if platform is None:
        return Rejected(
            code="platform_unknown",
            message=f"The platform must be ios, android or web, and is {said[:40]!r}.",
        )
    token = text_of(record.get("token"))
    fault = fault_of_token(token, platform=platform)
    if fault is not None:
        return fault
    assert token is not None
    device = device_record(device_id_of("posthog", token), token, platform, user_id=user_id)
    return ServiceRow(devices=[device])


def _person(ids: Any) -> str | None:
    """Of a person's ids, the first that is no UUID: PostHog gives those to strangers."""
    listed = [text_of(distinct_id) for distinct_id in ids] if isinstance(ids, list) else []
    return next(
        (distinct_id for distinct_id in listed if distinct_id and not _is_uuid(distinct_id)), None
    )


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None
