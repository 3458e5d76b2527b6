"""FCM's answers as outcomes: a golden answer for each row of the matrix, and rubbish."""

import json
from dataclasses import asdict
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Platform,
    Rejected,
    Throttled,
    Unavailable,
    Unregistered,
)
from clarion.providers.fcm.response import StaleAccessToken, read

GOLDEN = Path(__file__).parents[1] / "golden" / "fcm"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['case']}")
    for file in sorted(GOLDEN.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]
DATA = [case.values[0] for case in CASES]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
STATUSES = st.integers(100, 599)


def outcome_of(case: dict[str, Any], body: bytes | None = None) -> dict[str, Any]:
    if body is None:
        body = case["text"].encode() if "text" in case else json.dumps(case["body"]).encode()
    outcome = read(
        case["http_status"],
        body,
        platform=Platform(case.get("platform", "Android")),
        retry_after_seconds=case.get("retry_after_seconds"),
    )
    found = asdict(outcome)
    assert found.pop("left", True) is True, "what was answered has left"
    if "platforms" in found:
        found["platforms"] = [one.value for one in found["platforms"]]
    return {"type": type(outcome).__name__, **found}


def test_every_row_of_the_matrix_has_its_golden_answers() -> None:
    rows = {int(file.name[:2]) for file in GOLDEN.glob("*.json")}
    assert rows == set(range(19)) - {17}, "17 is an answer that never came"


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_read_as_what_it_means(case: dict[str, Any]) -> None:
    assert outcome_of(case) == case["outcome"]


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_details_and_unknown_details_change_nothing(case: dict[str, Any]) -> None:
    if "body" not in case or "error" not in case["body"]:
        return
    error = case["body"]["error"]
    unknown = {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"url": "https://x"}]}
    for details in permutations([*error.get("details", []), unknown]):
        body = json.dumps({"error": {**error, "details": details}}).encode()
        assert outcome_of(case, body) == case["outcome"]


@pytest.mark.parametrize("case", CASES)
def test_a_registration_ends_for_the_right_reason_only(case: dict[str, Any]) -> None:
    """Without its details and its sentence, no answer ends a registration."""
    for error in ({}, {"code": case["http_status"], "status": "INVALID_ARGUMENT"}):
        found = outcome_of(case, json.dumps({"error": error}).encode())
        assert found["type"] != "Unregistered"


def test_an_answer_that_is_not_utf_8_is_read_by_its_http_code() -> None:
    body = b'{"error":{"message":"\xff\xfe","status":"INTERNAL"}}'
    assert read(500, body, platform=Platform.IOS, retry_after_seconds=None) == Unavailable(
        reason="internal"
    )


def test_a_body_nested_without_end_is_read_by_its_http_code() -> None:
    for body in (b"[" * 200_000, b'{"error":' * 50_000):
        outcome = read(503, body, platform=Platform.IOS, retry_after_seconds=None)
        assert outcome == Unavailable(reason="unavailable", maybe_accepted=True)


def test_what_is_kept_of_a_huge_answer_is_short() -> None:
    huge = "x" * 5_000_000
    error = {
        "message": huge,
        "status": huge,
        "details": [
            {"@type": "a.FcmError", "errorCode": huge},
            {"@type": "a.ErrorInfo", "reason": huge},
        ],
    }
    for status in (400, 403, 404, 418, 500):
        body = json.dumps({"error": error}).encode()
        outcome = read(status, body, platform=Platform.WEB, retry_after_seconds=None)
        assert len(repr(outcome)) < 1_000


@given(status=STATUSES, body=st.binary())
def test_any_bytes_are_read(status: int, body: bytes) -> None:
    is_known(read(status, body, platform=Platform.IOS, retry_after_seconds=None))


@given(status=STATUSES, wire=JSON)
def test_any_json_is_read(status: int, wire: Any) -> None:
    body = json.dumps({"error": wire}).encode()
    is_known(read(status, body, platform=Platform.IOS, retry_after_seconds=None))
    is_known(read(status, json.dumps(wire).encode(), platform=Platform.IOS, retry_after_seconds=1))


@given(data=st.data(), case=st.sampled_from(DATA), status=STATUSES)
def test_an_answer_with_any_part_replaced_by_rubbish_is_read(
    data: st.DataObject, case: dict[str, Any], status: int
) -> None:
    body = json.dumps(replaced(data, case.get("body"))).encode()
    is_known(read(status, body, platform=Platform.IOS, retry_after_seconds=None))


@given(case=st.sampled_from(DATA), cut=st.integers(0, 2_000))
def test_an_answer_that_was_cut_short_is_read(case: dict[str, Any], cut: int) -> None:
    body = json.dumps(case.get("body")).encode()[:cut]
    outcome = read(case["http_status"], body, platform=Platform.IOS, retry_after_seconds=None)
    is_known(outcome)


def replaced(data: st.DataObject, wire: Any) -> Any:
    """`wire` with one of its values, at any depth, replaced."""
    if isinstance(wire, dict) and wire and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(wire)))
        return {**wire, name: replaced(data, wire[name])}
    if isinstance(wire, list) and wire and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(wire) - 1))
        return [*wire[:place], replaced(data, wire[place]), *wire[place + 1 :]]
    return data.draw(JSON)


def is_known(outcome: object) -> None:
    assert isinstance(
        outcome,
        Accepted
        | Unregistered
        | Rejected
        | Throttled
        | Unavailable
        | Misconfigured
        | StaleAccessToken,
    )
