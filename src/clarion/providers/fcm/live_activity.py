"""A Live Activity as FCM's `ApnsConfig`. Pure.

Source: Firebase's guide to Live Activities and Apple's ActivityKit push payload. The data that
attributes a receipt is left out: no code of the app runs when such a push comes.
"""

from datetime import datetime
from typing import Any

from clarion.deliveries.provider import Content, Priority


def live_activity(content: Content, now: datetime, token: Any) -> dict[str, Any]:
    """The block for the activity that `content` starts, updates or ends by `token`."""
    activity = content.live_activity
    assert activity is not None
    seconds = int(now.timestamp())
    aps: dict[str, Any] = {"timestamp": seconds, "event": activity.event.value}
    if activity.content_state:
        aps["content-state"] = dict(activity.content_state)
    if activity.attributes_type is not None:
        aps["attributes-type"] = activity.attributes_type
        aps["attributes"] = dict(activity.attributes)
    if activity.stale_seconds is not None:
        aps["stale-date"] = seconds + activity.stale_seconds
    if activity.dismiss_seconds is not None:
        aps["dismissal-date"] = seconds + activity.dismiss_seconds
    alert = {
        name: text for name, text in (("title", content.title), ("body", content.body)) if text
    }
    if alert:
        aps["alert"] = alert
    expires = 0 if content.ttl_seconds == 0 else seconds + content.ttl_seconds
    return {
        "live_activity_token": token,
        "headers": {
            "apns-priority": "10" if content.priority is Priority.HIGH else "5",
            "apns-expiration": str(expires),
        },
        "payload": {"aps": aps},
    }
