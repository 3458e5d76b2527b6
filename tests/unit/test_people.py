"""What is decided of people without asking a database: addresses, passwords, sessions, counts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from clarion.accounts.people.person import check_password, read_email
from clarion.accounts.people.session import (
    IDLE,
    LIFE,
    Session,
    csrf_token_of,
    hash_of,
    is_over,
    is_use_noted,
)
from clarion.accounts.people.throttle import counts_of
from clarion.faults import Fault

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace+news@Example.COM\n", "ada.lovelace+news@example.com"),
        ("ü@münchen.example", "ü@münchen.example"),
    ],
)
def test_an_address_is_compared_in_one_form(text: str, email: str) -> None:
    assert read_email(text) == email


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "a@b@c",
        "a b@example.com",
        "a\x00@example.com",
        "a" * 243 + "@example.com",
    ],
)
def test_what_is_no_address_names_the_field(text: str) -> None:
    fault = read_email(text)
    assert isinstance(fault, Fault)
    assert fault.field == "email"


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("x" * 11, False),
        ("x" * 12, True),
        ("ü" * 12, True),
        ("x" * 1_000, True),
        ("x" * 1_001, False),
        (" Ada@Example.com ", False),
    ],
)
def test_the_length_of_a_password_decides(password: str, is_good: bool) -> None:
    assert (check_password(password, "ada@example.com") is None) is is_good


def session(*, begun: timedelta, used: timedelta) -> Session:
    return Session(
        id=UUID(int=1),
        person_id=UUID(int=2),
        workspace_id=UUID(int=3),
        address=None,
        browser=None,
        created_at=NOW - begun,
        last_used_at=NOW - used,
    )


@pytest.mark.parametrize(
    ("begun", "used", "over"),
    [
        (timedelta(0), timedelta(0), False),
        (IDLE, IDLE - MOMENT, False),
        (IDLE, IDLE, True),
        (LIFE - MOMENT, timedelta(0), False),
        (LIFE, timedelta(0), True),
    ],
)
def test_a_session_is_over_when_idle_or_old(begun: timedelta, used: timedelta, over: bool) -> None:
    assert is_over(session(begun=begun, used=used), NOW) is over


def test_the_use_of_a_session_is_noted_once_a_minute() -> None:
    minute = timedelta(seconds=60)
    assert is_use_noted(session(begun=minute, used=minute - MOMENT), NOW)
    assert not is_use_noted(session(begun=minute, used=minute), NOW)


def test_neither_what_is_stored_nor_the_forms_token_is_the_cookie() -> None:
    tokens = {"cookie", hash_of("cookie"), csrf_token_of("cookie"), csrf_token_of("other")}
    assert len(tokens) == 4


def test_a_try_is_counted_for_account_address_and_both_in_one_order() -> None:
    counts = counts_of("ada@example.com", "203.0.113.7")
    assert sorted(count.limit for count in counts) == [10, 100, 100]
    assert [count.key for count in counts] == sorted(count.key for count in counts)
    elsewhere = counts_of("ada@example.com", "203.0.113.8")
    shared = {count.key for count in counts} & {count.key for count in elsewhere}
    assert len(shared) == 1
    assert len(counts_of("ada@example.com", None)) == 1
    assert all("ada@" not in count.key for count in counts)
