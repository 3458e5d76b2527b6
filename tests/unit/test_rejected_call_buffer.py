"""What is noted of calls that are turned away: all are counted, those alike are one line."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from clarion.faults import Rejected
from clarion.ingest_log.rejected_calls import ABOUTS_MAX, RejectedCallBuffer
from clarion.ingest_log.tally import OTHER
from clarion.sources.auth_result import Place

PLACE = Place(UUID(int=1), UUID(int=2))
WHY = Rejected("not_json", "It is no JSON.")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_calls_alike_are_one_line() -> None:
    buffer = RejectedCallBuffer()
    for second in range(3):
        buffer.note(PLACE, WHY, NOON + timedelta(seconds=second))
    [(entry, about)] = buffer.take()
    assert (entry.code, about, entry.count) == ("not_json", "", 3)
    assert entry.message == "It is no JSON. 3 calls since 12:00:00 UTC."
    assert (len(buffer), list(buffer.take())) == (0, [])


def test_what_one_call_says_is_told_as_it_is() -> None:
    buffer = RejectedCallBuffer()
    buffer.note(PLACE, WHY, NOON)
    assert [entry.message for entry, _ in buffer.take()] == ["It is no JSON."]


def test_calls_of_two_hours_are_told_apart_and_counted_in_each() -> None:
    buffer = RejectedCallBuffer()
    for minute in (0, 59, 60):
        buffer.note(PLACE, WHY, NOON + timedelta(minutes=minute))
    told = [(entry.count, entry.received_at.hour) for entry, _ in buffer.take()]
    assert told == [(2, 12), (1, 13)]


def test_callers_can_not_make_up_more_rows_than_there_are_words_for() -> None:
    buffer = RejectedCallBuffer()
    for number in range(1_000):
        about = f"https://{number}.example"
        buffer.note(PLACE, Rejected("origin_not_allowed", "…"), NOON, about)
    buffer.note(PLACE, WHY, NOON)
    told = {about: entry.count for entry, about in buffer.take()}
    assert len(told) == ABOUTS_MAX + 2
    assert (told[OTHER], told[""]) == (1_000 - ABOUTS_MAX, 1)


def test_words_that_no_database_can_hold_are_made_such_that_it_can() -> None:
    buffer = RejectedCallBuffer()
    buffer.note(PLACE, Rejected("x", "a\x00\udc80"), NOON, "b\x00\udc80")
    assert [(entry.message, about) for entry, about in buffer.take()] == [("a?", "b?")]
