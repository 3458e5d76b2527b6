"""The older API of topics, without a server."""

import json
from typing import Any

import pytest

from fcm_simulator.fcm.instance_id import REGISTRATIONS_MAX
from fcm_simulator.fcm.simulation import Fcm
from fcm_simulator.fcm.topics import TOPICS_MAX

PROJECT = "shop-1"


def call(fcm: Fcm, method: str, order: Any) -> tuple[int, Any]:
    body = order if isinstance(order, bytes) else json.dumps(order).encode()
    reply = fcm.call_instance_id(PROJECT, method, body)
    return reply.status, json.loads(reply.body)


def test_each_registration_has_its_result_in_the_order_of_the_call() -> None:
    names = ["a", "dead-1", "a", "malformed-1", "mismatch-1", "internal-1", "throttled-1"]
    order = {"to": "/topics/news", "registration_tokens": names}
    errors = [
        None,
        "NOT_FOUND",
        None,
        "INVALID_ARGUMENT",
        "PERMISSION_DENIED",
        "INTERNAL",
        "RESOURCE_EXHAUSTED",
    ]
    fcm = Fcm()
    status, reply = call(fcm, "POST", order)
    assert (status, [one.get("error") for one in reply["results"]]) == (200, errors)
    assert fcm.stats()["topics"] == 1


def test_who_follows_too_many_is_told_so() -> None:
    fcm = Fcm()
    for number in range(TOPICS_MAX + 1):
        order = {"to": f"/topics/t{number}", "registration_tokens": ["one"]}
        _, reply = call(fcm, "POST", order)
    assert reply == {"results": [{"error": "TOO_MANY_TOPICS"}]}


@pytest.mark.parametrize(
    "order",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        {},
        {"to": "/topics/news"},
        {"to": "/topics/news", "registration_tokens": []},
        {"to": "/topics/news", "registration_tokens": ["t"] * (REGISTRATIONS_MAX + 1)},
        {"to": "/topics/a b", "registration_tokens": ["t"]},
        {"to": 5, "registration_tokens": ["t"]},
    ],
    ids=lambda order: str(order)[:40],
)
def test_what_is_no_order_is_refused_and_changes_nothing(order: Any) -> None:
    fcm = Fcm()
    assert call(fcm, "POST", order) == (400, {"error": "INVALID_ARGUMENT"})
    assert fcm.stats()["topics"] == 0
