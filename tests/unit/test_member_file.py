"""User ids out of the files that people have: lists, CSV, NDJSON."""

import pytest

from clarion.audiences.saved.member_file import ROWS_MAX, MemberFile, read_members
from clarion.faults import Rejected


def ids(text: str) -> list[str]:
    read = read_members(text.encode())
    assert isinstance(read, MemberFile), read
    assert read.faults == []
    return read.user_ids


@pytest.mark.parametrize(
    "text",
    [
        "ada\nbob\n",
        "ada\r\nbob\r\n\r\n",
        "\ufeffuser_id\nada\nbob\n",
        "name,userId\nAda,ada\nBob,bob\n",
        'name;id\n"A;B";ada\nBob;bob\n',
        '"ada"\n"bob"\n',
        '{"user_id": "ada"}\n{"userId": "bob"}\n',
        "user_id\nada\nbob\nada\n",
        "User_ID;x\nada;1\nbob;2\n",
    ],
)
def test_ids_are_read_once_each_in_their_order(text: str) -> None:
    assert ids(text) == ["ada", "bob"]


def test_a_quoted_csv_is_not_taken_for_json() -> None:
    assert ids('"user_id","name"\n"ada","A"\n') == ["ada"]


def test_numbers_are_ids_as_events_have_them() -> None:
    assert ids('{"user_id": 42}\n') == ["42"]


def test_lines_without_an_id_are_told_and_the_others_count() -> None:
    read = read_members(b'{"user_id": "ada"}\n{"name": "x"}\nnull\n{broken\n"bob"\n')
    assert isinstance(read, MemberFile)
    assert (read.rows, read.user_ids) == (5, ["ada", "bob"])
    assert [fault.field for fault in read.faults] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"user_id\n", "holds no user id"),
        (b'{"name": "x"}\n[]\n', "holds no user id"),
        (b"\xff\xfe", "UTF-8"),
        (b"name,mail\nAda,a@x.example\n", "user_id"),
        (b"x\n" * (ROWS_MAX + 1), "limit"),
    ],
)
def test_a_file_that_can_not_be_is_refused_with_the_cure(content: bytes, word: str) -> None:
    read = read_members(content)
    assert isinstance(read, Rejected)
    assert word in read.message
