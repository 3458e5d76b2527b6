"""What is noted of calls that are turned away: all are counted, few are told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from clarion.ingest_log.rejected_calls import (
    ABOUTS_MAX,
    LINE_SECONDS,
    LINES_AT_ONCE,
    OTHER,
    RejectedCallBuffer,
)
from clarion.sources.auth_result import Place, RejectedCall

PLACE = Place(UUID(int=1), UUID(int=2))
WHY = RejectedCall(code="not_json", message="It is no JSON.")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def book() -> RejectedCallBuffer:
    return RejectedCallBuffer()


def test_calls_alike_are_one_count_and_one_line(book: RejectedCallBuffer) -> None:
    for second in range(3):
        book.note(PLACE, WHY, NOON + timedelta(seconds=second))
    counts, lines = book.take(NOON)
    assert [(one.code, one.about, one.calls) for one in counts] == [("not_json", "", 3)]
    (line,) = lines
    assert line.message == "It is no JSON. 3 calls since 12:00:00 UTC."
    assert not book.has_news
    assert book.take(NOON) == ([], [])


def test_what_one_call_says_is_told_as_it_is(book: RejectedCallBuffer) -> None:
    book.note(PLACE, WHY, NOON)
    assert [one.message for one in book.take(NOON).lines] == ["It is no JSON."]


def test_a_flood_is_counted_whole_and_told_in_few_lines(book: RejectedCallBuffer) -> None:
    counted = told = lines_told = 0
    seconds = 4 * LINE_SECONDS
    for second in range(0, seconds, 2):
        for _ in range(10):
            book.note(PLACE, WHY, NOON + timedelta(seconds=second))
        counts, lines = book.take(NOON)
        counted += sum(one.calls for one in counts)
        told += sum(one.calls for one in lines)
        lines_told += len(lines)
    assert counted == seconds / 2 * 10
    assert LINES_AT_ONCE < lines_told <= LINES_AT_ONCE + 4
    book.note(PLACE, WHY, NOON + timedelta(seconds=seconds + LINE_SECONDS))
    told += sum(one.calls for one in book.take(NOON).lines)
    assert told == counted + 1


def test_one_reason_that_floods_does_not_hide_another(book: RejectedCallBuffer) -> None:
    for second in range(100):
        book.note(PLACE, WHY, NOON + timedelta(seconds=second))
        book.take(NOON)
    book.note(PLACE, RejectedCall(code="too_fast", message="…"), NOON + timedelta(seconds=100))
    assert [one.code for one in book.take(NOON).lines] == ["too_fast"]


def test_callers_can_not_make_up_more_rows_than_there_are_words_for(
    book: RejectedCallBuffer,
) -> None:
    for number in range(1_000):
        about = f"https://{number}.example"
        book.note(PLACE, RejectedCall(code="origin_not_allowed", message="…", about=about), NOON)
    counts, lines = book.take(NOON)
    assert len(counts) == ABOUTS_MAX + 1
    assert sum(one.calls for one in counts) == 1_000
    assert {one.about: one.calls for one in counts}[OTHER] == 1_000 - ABOUTS_MAX
    assert len(lines) == LINES_AT_ONCE


def test_nothing_is_remembered_for_ever(book: RejectedCallBuffer) -> None:
    for hour in range(50):
        at = NOON + timedelta(hours=hour)
        for number in range(ABOUTS_MAX):
            about = f"https://{hour}-{number}.example"
            book.note(PLACE, RejectedCall(code="origin_not_allowed", message="…", about=about), at)
        book.take(at)
    assert len(book) <= 3 * ABOUTS_MAX


def test_what_could_not_be_written_is_written_with_what_comes(book: RejectedCallBuffer) -> None:
    book.note(PLACE, WHY, NOON)
    news = book.take(NOON)
    book.note(PLACE, WHY, NOON + timedelta(seconds=1))
    book.put_back(news)
    assert book.has_news
    counts, lines = book.take(NOON)
    assert [one.calls for one in counts] == [2]
    assert [(one.calls, one.first_at) for one in lines] == [(2, NOON)]


def test_words_that_no_database_can_hold_are_made_such_that_it_can(
    book: RejectedCallBuffer,
) -> None:
    book.note(PLACE, RejectedCall(code="x", message="a\x00\udc80", about="b\x00\udc80"), NOON)
    counts, lines = book.take(NOON)
    assert (counts[0].about, lines[0].message) == ("b?", "a?")
