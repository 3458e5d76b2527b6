"""The payload of an events job: what goes in comes out, and it always fits into a job."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.broker import PAYLOAD_BYTES_MAX
from clarion.events.calls.call import Call, read_call
from clarion.events.collector import CollectorOptions
from clarion.events.envelope import Item, Parcel, decode, encode, open_parcel, split
from clarion.ingest_log.rejection import RejectedEvent

RECEIVED = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
JOB_BYTES_MAX = CollectorOptions().job_bytes_max


def parcel(
    *items: Item,
    refusals: list[RejectedEvent] | None = None,
    context: bytes = b"",
    sent_at: datetime | None = None,
) -> Parcel:
    return Parcel(
        workspace_id=UUID(int=1),
        source_id=UUID(int=2),
        received_at=RECEIVED,
        sent_at=sent_at,
        context=context,
        items=list(items),
        refusals=refusals or [],
    )


def item(message_id: str = "m", **fields: Any) -> Item:
    raw = msgspec.json.encode({"type": "page", "userId": "u", **fields})
    return Item(raw, "page", message_id)


def refusal(**changed: str) -> RejectedEvent:
    values: dict[str, Any] = {"message_id": "m", "code": "c", "message": "why", "excerpt": "what"}
    return RejectedEvent(**values | changed)


def of(call: Any) -> Parcel:
    assert isinstance(call, Call), call
    return parcel(*call.items, refusals=call.refusals, context=call.context)


def test_what_goes_in_comes_out() -> None:
    parcels = [
        parcel(item("m1"), item("m2"), sent_at=RECEIVED, context=b'{"ip":"x"}'),
        parcel(
            refusals=[refusal(), RejectedEvent(message_id=None, code="c", message="", excerpt="é")]
        ),
    ]
    assert decode(encode(parcels)) == parcels


@pytest.mark.parametrize("payload", [b"", b"nonsense", b"\x91\x01", b"\x93\x01\x02\x03"])
def test_a_payload_of_somebody_else_is_told_apart(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(payload)


def test_an_opened_parcel_reads_its_events_in_its_context() -> None:
    events, refusals = open_parcel(
        parcel(
            item("m1", timestamp="2026-03-01T11:00:00Z"),
            context=b'{"ip":"x"}',
            sent_at=RECEIVED,
        )
    )
    assert [(event.message_id, event.at.hour, event.context) for event in events] == [
        ("m1", 11, {"ip": "x"})
    ]
    assert refusals == []


def test_an_event_that_can_not_be_read_after_all_is_refused_beside_the_others() -> None:
    unreadable = Item(b'{"type":"page","userId":"u","x":1e999}', "page", "m2")
    events, refusals = open_parcel(parcel(item("m1"), unreadable, refusals=[refusal()]))
    assert [event.message_id for event in events] == ["m1"]
    assert [one.message_id for one in refusals] == ["m", "m2"]


def test_a_parcel_that_fits_is_not_split() -> None:
    one = parcel(item("m1"), item("m2"))
    assert split(one, one.size) == [one]


def test_a_parcel_is_split_without_losing_or_repeating_anything() -> None:
    items = [item(f"m{number}") for number in range(10)]
    refusals = [refusal(message_id=f"r{number}") for number in range(10)]
    whole = parcel(*items, refusals=refusals, context=b'{"ip":"x"}', sent_at=RECEIVED)
    parts = split(whole, 700)
    assert len(parts) > 3
    assert [one for part in parts for one in part.items] == items
    assert [one for part in parts for one in part.refusals] == refusals
    for part in parts:
        assert part.size <= 700
        assert part.items or part.refusals
        assert (part.context, part.sent_at) == (whole.context, whole.sent_at)


def test_an_event_larger_than_the_limit_goes_alone() -> None:
    parts = split(parcel(item("m1"), item("m2", x="x" * 900), item("m3")), 500)
    assert [[one.message_id for one in part.items] for part in parts] == [["m1"], ["m2"], ["m3"]]


@given(
    st.lists(st.text(min_size=1, max_size=100), max_size=8),
    st.lists(st.tuples(st.text(max_size=100), st.text(max_size=200)), max_size=8),
    st.binary(max_size=100),
)
def test_a_parcel_is_never_larger_than_its_size_says(
    ids: list[str], refused: list[tuple[str, str]], context: bytes
) -> None:
    one = parcel(
        *(Item(b"{}", "identify", message_id) for message_id in ids),
        refusals=[refusal(message_id=message_id, excerpt=text) for message_id, text in refused],
        context=context,
        sent_at=RECEIVED,
    )
    assert len(encode([one])) <= one.size + 5


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"type": "page", "context": {"page": "x" * 150}}, id="nobody"),
        pytest.param({"type": "page", "x": "\U0001f600" * 40}, id="nobody, in four-byte letters"),
        pytest.param(
            {"type": "page", "userId": "u", "messageId": "\U0001f600" * 40}, id="long ids"
        ),
        pytest.param({"type": "page", "userId": "u", "x": "x" * 160}, id="plain"),
        pytest.param(7, id="no event at all"),
    ],
)
def test_a_call_as_large_as_allowed_fits_into_jobs(event: Any) -> None:
    one = msgspec.json.encode(event)
    many = min(2_500, 524_288 // (len(one) + 1) - 40)
    body = b'{"batch":[' + b",".join([one] * many) + b"]}"
    whole = of(read_call(body, type_hint=None, new_message_id=lambda: "0" * 36))
    parts = split(whole, JOB_BYTES_MAX)
    assert sum(len(part.items) + len(part.refusals) for part in parts) == many
    assert all(len(encode([part])) <= PAYLOAD_BYTES_MAX for part in parts)
