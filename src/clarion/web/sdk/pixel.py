"""An event in the address of an image, for mails and pages without JavaScript. Pure.

Either `data`, an event's JSON in base64, or its fields one by one: `?event=Opened&properties.x=1`.
What can not be read is no event; the image is shown all the same.
"""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl

import msgspec

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""1 × 1, transparent."""
FIELDS_MAX = 1_000
DOTS_MAX = 8
"""Of a field's name: so deep may its value stand."""


def event_in_query(query_string: bytes) -> bytes | None:
    """The event's JSON; None where there is none."""
    try:
        fields = dict(parse_qsl(query_string.decode("latin-1"), max_num_fields=FIELDS_MAX))
    except ValueError:
        return None
    data = fields.get("data")
    if data is None:
        return msgspec.json.encode(_nested(fields)) if fields else None
    try:
        # A plus that was not escaped has become a space.
        text = data.strip().replace(" ", "+").replace("-", "+").replace("_", "/")
        return base64.b64decode(text + "==")
    except (binascii.Error, ValueError):
        return None


def _nested(fields: dict[str, str]) -> dict[str, Any]:
    """`{"properties.x": "1"}` → `{"properties": {"x": "1"}}`; of two that can not both be, the
    first is kept."""
    event: dict[str, Any] = {}
    for name, value in fields.items():
        *path, last = name.split(".", DOTS_MAX)
        inner: Any = event
        for step in path:
            inner = inner.setdefault(step, {}) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner.setdefault(last, value)
    return event
