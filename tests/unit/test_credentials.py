"""A service-account file: what is taken, and what is said about one that is not."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from clarion.fcm.credentials import (
    FILE_BYTES_MAX,
    CredentialFault,
    ServiceAccount,
    parse_service_account,
)

RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def pem(key: Any = RSA, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode())


GOOD: dict[str, Any] = {
    "type": "service_account",
    "project_id": "shop-1",
    "private_key_id": "0123abc",
    "private_key": pem(),
    "client_email": "firebase-adminsdk@shop-1.iam.gserviceaccount.com",
    "client_id": "1",
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "universe_domain": "googleapis.com",
}


def fields(text: str | bytes) -> list[str]:
    """The fields that are at fault."""
    found = parse_service_account(text)
    return [] if isinstance(found, ServiceAccount) else [fault.field for fault in found]


def with_(**changed: Any) -> str:
    wire = {**GOOD, **changed}
    return json.dumps({name: value for name, value in wire.items() if value is not None})


def test_the_consoles_file_is_taken() -> None:
    account = parse_service_account(json.dumps(GOOD, indent=2))
    assert isinstance(account, ServiceAccount)
    assert account.project_id == "shop-1"
    assert account.private_key_id == "0123abc"
    assert account.client_email == GOOD["client_email"]
    assert account.token_uri == GOOD["token_uri"]
    assert account.info == GOOD


def test_the_key_is_not_in_what_is_shown_of_the_account() -> None:
    assert "PRIVATE KEY" not in repr(parse_service_account(json.dumps(GOOD)))


@pytest.mark.parametrize("project", ["shop", "my-project-123", "example.com:shop", "123456"])
def test_project_ids_old_and_new_are_taken(project: str) -> None:
    assert fields(with_(project_id=project)) == []


def test_a_key_id_and_what_we_do_not_need_may_be_missing() -> None:
    assert fields(with_(private_key_id=None, client_id=None, auth_uri=None)) == []


def test_an_editors_byte_order_mark_is_forgiven() -> None:
    assert fields(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()) == []


@pytest.mark.parametrize("name", ["project_id", "client_email", "private_key", "token_uri"])
@pytest.mark.parametrize("value", [None, "", "  ", 5, ["x"], {}])
def test_a_missing_field_is_named(name: str, value: Any) -> None:
    assert fields(with_(**{name: value})) == [name]


def test_everything_wrong_is_told_at_once() -> None:
    assert fields('{"type": "authorized_user"}') == [
        "type",
        "project_id",
        "client_email",
        "private_key",
        "token_uri",
    ]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"type": "authorized_user"}, "type"),
        ({"type": None}, "type"),
        ({"project_id": "a/../b"}, "project_id"),
        ({"project_id": "Shop One"}, "project_id"),
        ({"client_email": "nobody"}, "client_email"),
        ({"token_uri": "oauth2.googleapis.com/token"}, "token_uri"),
        ({"token_uri": "file:///etc/passwd"}, "token_uri"),
        ({"token_uri": "https://"}, "token_uri"),
        ({"token_uri": "https://[oops/token"}, "token_uri"),
        ({"private_key": "not a key"}, "private_key"),
        ({"private_key": pem()[:900]}, "private_key"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "private_key"),
        ({"private_key": pem(password=b"secret")}, "private_key"),
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, Any], name: str) -> None:
    assert fields(with_(**changed)) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        "5",
        b"\xff\xfe\x00",
        b'{"type":"\xff"}',
        "[" * 60_000,
        '{"a":' * 10_000,
        "\ud800",
        json.dumps(GOOD) + " " * FILE_BYTES_MAX,
    ],
)
def test_another_file_is_refused_as_a_whole(text: str | bytes) -> None:
    assert fields(text) == ["file"]


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_file_is_too_strange_to_be_refused(text: str | bytes) -> None:
    assert isinstance(parse_service_account(text), list)


@given(
    name=st.sampled_from(sorted(GOOD)),
    value=st.none() | st.text() | st.integers() | st.lists(st.text()),
)
def test_a_fault_never_shows_what_the_file_says(name: str, value: Any) -> None:
    found = parse_service_account(with_(**{"type": "other", name: value}))
    for fault in found if isinstance(found, list) else []:
        assert isinstance(fault, CredentialFault)
        assert GOOD["private_key"] not in fault.message
        assert fault.message
