"""What people are shown of what apps sent holds no token, wherever an app has put it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.customers.device import FINGERPRINT_CHARACTERS, token_hash
from clarion.customers.disclosure import shown_body, without_tokens

TOKEN = "APA91b-a-registration-token"
FINGERPRINT = f"fingerprint:{token_hash(TOKEN)[:FINGERPRINT_CHARACTERS]}"


@pytest.mark.parametrize(
    "value",
    [
        {"properties": {"fcmToken": TOKEN}},
        {"properties": {"fcm_token": TOKEN, "deviceId": "D1"}},
        {"properties": {"fid": TOKEN}},
        {"properties": {"token": f" {TOKEN} "}},
        {"context": {"device": {"token": TOKEN, "id": "D1"}}},
        {"traits": {"Push Token": TOKEN}},
        {"traits": {"registration-id": TOKEN}},
        {"batch": [[{"deviceToken": TOKEN}]]},
        {"writeKey": TOKEN},
    ],
)
def test_a_token_is_shown_as_its_fingerprint(value: Any) -> None:
    shown = json.dumps(shown_body(json.dumps(value)))
    assert TOKEN not in shown
    assert FINGERPRINT in shown


def test_everything_else_is_shown_as_it_came() -> None:
    value = {
        "tokens": 5,
        "token": 7,
        "name": "Token",
        "list": [1, None, {"a": "b"}],
        "fidelity": "x",
    }
    assert without_tokens(value) == value


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_json)
def test_what_is_shown_once_is_shown_alike_and_keeps_its_shape(value: Any) -> None:
    shown = without_tokens(value)
    assert type(shown) is type(value)
    assert json.loads(json.dumps(shown)) == shown
    if isinstance(value, dict):
        assert list(shown) == list(value)
