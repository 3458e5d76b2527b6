"""What is shown of others' text, and of addresses with passwords in them."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.text import one_line, visible, visible_json, without_passwords


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07"),
        ("\x9b31mred", "\\x9b31mred"),
        ("\x9d0;title\x9c", "\\x9d0;title\\x9c"),
        ("a\rb\x08c\x7f\x00", "a\\x0db\\x08c\\x7f\\x00"),
        ("invoice\u202egpj.exe", "invoice\\u202egpj.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("bytes that were none \udcff", "bytes that were none \\udcff"),
        ("Zoë 🎉 שלום 👩‍👧", "Zoë 🎉 שלום 👩‍👧"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_its_number(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_end_of_others_makes_no_line_of_ours() -> None:
    assert one_line("a\nerror: b\tc\u2028d\x85e") == "a\\nerror: b\\tc\\u2028d\\x85e"


@given(st.text())
def test_no_control_character_is_left_in_any_text(text: str) -> None:
    assert not [sign for sign in one_line(text) if unicodedata.category(sign) in ("Cc", "Cs")]


@given(st.dictionaries(st.text(), st.text()))
def test_a_json_document_stays_the_same(value: dict[str, str]) -> None:
    document = json.dumps(value, ensure_ascii=False)
    shown = visible_json(document)
    assert json.loads(shown) == value
    assert not [sign for sign in shown if unicodedata.category(sign) == "Cc"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://h/d?user=u&password=secret", "postgresql://h/d?user=u&password=***"),
        ("postgresql://h/d?sslmode=require&sslpassword=s", "postgresql://h/d?sslmode=require&sslpassword=***"),
        ("postgresql://u:p/w@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p'w@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@ss:w#rd@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("https://me:pw@fcm.example", "https://me:***@fcm.example"),
        ("tls://token@a,tls://token@b", "tls://***@a,tls://***@b"),
        ("no 'nats://u:p@h:4222': refused", "no 'nats://u:***@h:4222': refused"),
        ("a nats://token@a:4222 b", "a nats://***@a:4222 b"),
        ("no address, me@shop.example", "no address, me@shop.example"),
        ("https://fcm.googleapis.com", "https://fcm.googleapis.com"),
    ],
)  # fmt: skip
def test_a_password_is_shown_nowhere_in_an_address(text: str, shown: str) -> None:
    assert without_passwords(text) == shown
