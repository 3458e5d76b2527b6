"""Subscriptions to topics of Firebase Cloud Messaging. Firebase lists nobody's: a file is made of
its answers about each token (`GET https://iid.googleapis.com/iid/info/TOKEN?details=true`), one a
line, with the `token` beside them and a `user_id` where it is known; or it is CSV with `token` and
`topic`. Pure.

Format: Google's Instance ID server reference (`rel.topics`). The CSV is an assumption: everybody
writes their own.
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

NAMES = {"registration_token": "token"}
TRAIT = "topic_"
"""A topic is a trait: several devices, and several rows, add to each other."""
TOPIC = re.compile(r"[a-zA-Z0-9_.~%-]{1,900}")
"""What Firebase takes for a topic's name."""
_SEPARATED = re.compile(r"[;,|\s]+")
_PLATFORMS = {"ios": "iOS", "android": "Android", "web": "Web", "webpush": "Web"}


def read(record: Mapping[str, Any]) -> ServiceRow | Rejected:
    """A token with its topics: a trait of its customer for each, and the device."""
    said = (text_of(record.get("platform")) or "").lower()
    platform = _PLATFORMS.get(said, "Android" if not said else None)
    if platform is None:
        return Rejected(
            code="platform_unknown",
            message=f"The platform must be Android, iOS or WEB, and is {said[:40]!r}.",
        )
    token = text_of(record.get("token"))
    fault = fault_of_token(token, platform=platform)
    if fault is not None:
        return fault
    assert token is not None
    topics = _topics(record)
    wrong = next((topic for topic in topics if TOPIC.fullmatch(topic) is None), None)
    if wrong is not None:
        return Rejected(
            code="topic_malformed",
            message=f"{wrong[:40]!r} is no name of a topic: letters, digits and -_.~% make one.",
        )
    user_id = text_of(record.get("user_id"))
    device_id = text_of(record.get("device_id")) or device_id_of("firebase", token)
    traits = {f"{TRAIT}{topic}": True for topic in topics}
    return ServiceRow(
        customer=customer_record(user_id, device_id, traits),
        devices=[device_record(device_id, token, platform, user_id=user_id)],
    )


def _topics(record: Mapping[str, Any]) -> list[str]:
    related = object_of(object_of(record.get("rel")).get("topics"))
    if related:
        return sorted(related)
    listed = record.get("topics", record.get("topic"))
    if isinstance(listed, str):
        listed = _SEPARATED.split(listed.strip())
    names = [text_of(name) for name in listed] if isinstance(listed, list) else []
    return sorted({name.removeprefix("/topics/") for name in names if name})
