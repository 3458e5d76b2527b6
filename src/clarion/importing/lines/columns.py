"""What the lines of every imported file may be called, and who is named in them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from clarion.faults import Rejected

USER_ID = ("user_id", "userId")
ANONYMOUS_ID = ("anonymous_id", "anonymousId")
DEVICE_ID = ("device_id", "deviceId")
TOKEN = ("token", "fcm_token", "fcmToken")
FID = ("fid",)
PLATFORM = ("platform", "device_type", "deviceType")
AT = ("timestamp", "at")
MESSAGE_ID = ("message_id", "messageId")
SOURCE = "clarion_source"
"""The name of the source that an exported line came from."""
LEFT_OUT = "tokens_left_out"
"""Where an export that shows no tokens has left something out of a line."""


def first_of(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of `names` that says anything."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return value
    return None


def damaged_id(record: Mapping[str, Any], names: Iterable[str]) -> Rejected | None:
    """A number with a point names nobody: what it was before, nobody can tell."""
    for name in names:
        if type(record.get(name)) is float:
            return Rejected(
                code="id_damaged",
                message=f"{name} is the number {record[name]}, not a text: an id that has passed "
                "through a program that reads numbers may be another one's now. Write it as text.",
            )
    return None
