"""The older API of topics, at iid.googleapis.com: many registrations and one topic in a call. Pure.

    POST /iid/v1:batchAdd     {"to": "/topics/T", "registration_tokens": [token or FID, …]}
    POST /iid/v1:batchRemove  → {"results": [{}, {"error": "NOT_FOUND"}]}

SDKs used it until September 2026, and older ones do.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from fcm_simulator.fcm import answers
from fcm_simulator.fcm.answers import Reply
from fcm_simulator.fcm.conditions import TOPIC

ROOT = "/iid/v1:"
METHODS = {"batchAdd": "POST", "batchRemove": "DELETE"}
"""Of the newer API, for each registration."""
REGISTRATIONS_MAX = 1_000
_STARTS = "/topics/"
_ERRORS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}


class Order(msgspec.Struct):
    to: str = ""
    registration_tokens: list[str] = []


def answer(body: bytes, call: Callable[[str, str], Reply]) -> Reply:
    """`call`: the newer API for a registration and a topic, 409 or 404 where nothing changes."""
    try:
        order = msgspec.json.decode(body, type=Order)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _refused("INVALID_ARGUMENT")
    topic = order.to.removeprefix(_STARTS)
    count = len(order.registration_tokens)
    if not TOPIC.fullmatch(topic) or not 0 < count <= REGISTRATIONS_MAX:
        return _refused("INVALID_ARGUMENT")
    results = [_result(call(name, topic)) for name in order.registration_tokens]
    return Reply(200, msgspec.json.encode({"results": results}), name="topics")


def _result(reply: Reply) -> dict[str, str]:
    if reply.status in (200, 409):
        return {}
    if reply.name == answers.too_many_topics().name:
        return {"error": "TOO_MANY_TOPICS"}
    return {"error": _ERRORS.get(reply.status, "INTERNAL")}


def _refused(error: Any) -> Reply:
    return Reply(400, msgspec.json.encode({"error": error}), name="invalid")
