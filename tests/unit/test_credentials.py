"""A service-account file: what is taken, and what is said about one that is not."""

import json
from base64 import b64encode
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

from clarion.faults import Fault
from clarion.providers.fcm.credentials import (
    FILE_BYTES_MAX,
    ServiceAccount,
    mended_key,
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
    assert fields('{"type": "something_else"}') == [
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
        ({"universe_domain": "evil.example"}, "universe_domain"),
        ({"universe_domain": 5}, "universe_domain"),
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
        assert isinstance(fault, Fault)
        assert GOOD["private_key"] not in fault.message
        assert fault.message


GOOGLE_SERVICES = {"project_info": {"project_id": "shop"}, "client": [], "configuration_version": 1}
WEB_CONFIG = {"apiKey": "AIza", "authDomain": "shop", "projectId": "shop", "appId": "1:2:web:3"}
PLIST = '<?xml version="1.0"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN">\n<plist/>'


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (json.dumps(GOOGLE_SERVICES), "file", "google-services.json"),
        (json.dumps(WEB_CONFIG), "file", "web app"),
        ("const firebaseConfig = {apiKey: 'AIza'}", "file", "web app"),
        (PLIST, "file", "GoogleService-Info.plist"),
        (b"bplist00\x01\x02", "file", "GoogleService-Info.plist"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "file", "APNs key"),
        ("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----", "file", "certificate"),
        (b"\x30\x82\x0b\x00\x02\x01\x03\x30", "file", ".p12"),
        ("AAAAabcdefg:APA91b" + "x" * 134, "file", "server key of the legacy API"),
        ("<!DOCTYPE html><html>", "file", "HTML"),
        (json.dumps(GOOD).encode("utf-16"), "file", "UTF-16"),
        (b64encode(json.dumps(GOOD).encode()), "file", "base64"),
        (json.dumps(json.dumps(GOOD)), "file", "JSON within a text"),
        (json.dumps([GOOD]), "file", "a list"),
        ('{"installed": {"client_id": "x"}}', "file", "OAuth client"),
        (
            '{"type": "external_account", "audience": "//iam", "token_url": "https://sts"}',
            "type",
            "workload identity federation",
        ),
        (
            '{"type": "authorized_user", "client_id": "x", "refresh_token": "y"}',
            "type",
            "the login of a person",
        ),
        ('{"type": "impersonated_service_account"}', "type", "impersonation"),
    ],
)
def test_another_file_is_called_what_it_is(text: str | bytes, name: str, told: str) -> None:
    found = parse_service_account(text)
    assert isinstance(found, list)
    [fault] = found
    assert fault.field == name
    assert told in fault.message
    assert "Generate new private key" in fault.message


@pytest.mark.parametrize(
    "damage",
    [
        lambda key: key.replace("\n", "\\n"),
        lambda key: key.replace("\n", "\\r\\n"),
        lambda key: key.replace("\n", " "),
        lambda key: key.replace("\n", "\r\n"),
        lambda key: f'"{key}"',
        lambda key: f"  {key}  ",
        lambda key: key.replace("\n", "").replace("KEY-----MII", "KEY-----MII"),
    ],
)
def test_a_key_whose_line_breaks_were_lost_on_its_way_is_mended(damage: Any) -> None:
    account = parse_service_account(with_(private_key=damage(pem())))
    assert isinstance(account, ServiceAccount)
    assert account.info["private_key"] == pem()


@given(st.text(max_size=100))
def test_what_is_no_key_is_not_made_one(text: str) -> None:
    assert mended_key(text) == text or "-----BEGIN" in text


INTERNAL = (
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://metadata.google.internal/computeMetadata/v1/token",
    "https://10.0.0.7/token",
    "https://evil.example/token",
    "http://oauth2.googleapis.com/token",
    "https://oauth2.googleapis.com:8443/token",
    "https://oauth2.googleapis.com.evil.example/token",
    "https://xoauth2.googleapis.com/token",
    "https://oauth2.googleapis.com@evil.example/token",
    "https://evil.example@oauth2.googleapis.com/token",
    "https://evil.example\\@oauth2.googleapis.com/token",
    "https://oauth2.googleapis.com\\.evil.example/token",
    "https://oauth2.googleapis.com\n.evil.example/token",
    "https://oauth2.googleapis.com:x/token",
    "gopher://oauth2.googleapis.com/token",
    "https://storage.googleapis.com/bucket",
    "http://127.0.0.1:6379/",
    "https://127.0.0.1:8443/token",
    "https://[::1]:8443/token",
)


@pytest.mark.parametrize("uri", INTERNAL)
def test_a_file_sends_our_calls_nowhere_but_to_google(uri: str) -> None:
    found = parse_service_account(with_(token_uri=uri), fcm_url="https://fcm.googleapis.com")
    assert isinstance(found, list)
    assert [fault.field for fault in found] == ["token_uri"]
    assert uri not in found[0].message


@pytest.mark.parametrize(
    "uri",
    [
        "https://oauth2.googleapis.com/token",
        "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v4/token",
        "https://oauth2.googleapis.com:443/token",
    ],
)
def test_every_endpoint_that_google_has_named_is_taken(uri: str) -> None:
    assert fields(with_(token_uri=uri)) == []


@pytest.mark.parametrize(
    ("uri", "fcm_url", "is_taken"),
    [
        ("https://127.0.0.1:8443/token", "https://127.0.0.1:8443", True),
        ("https://localhost:8443/token", "https://127.0.0.1:8443", True),
        ("https://127.0.0.1:8444/token", "https://127.0.0.1:8443", False),
        ("http://127.0.0.1:8443/token", "https://127.0.0.1:8443", False),
        ("https://fcm.test:8443/token", "https://fcm.test:8443", True),
        ("https://127.0.0.1:8443/token", "https://fcm.googleapis.com", False),
    ],
)
def test_a_simulators_key_is_taken_where_pushes_go_to_that_simulator(
    uri: str, fcm_url: str, is_taken: bool
) -> None:
    found = parse_service_account(with_(token_uri=uri), fcm_url=fcm_url)
    assert isinstance(found, ServiceAccount) is is_taken


@pytest.mark.parametrize(
    ("uri", "is_taken"),
    [("http://localhost:1/token", True), ("https://[::1]:8443/token", True)]
    + [(uri, "127.0.0.1" in uri or "[::1]" in uri) for uri in INTERNAL],
)
def test_the_operators_own_file_may_be_of_a_simulator_on_this_machine(
    uri: str, is_taken: bool
) -> None:
    found = parse_service_account(with_(token_uri=uri), may_be_simulated=True)
    assert isinstance(found, ServiceAccount) is is_taken
