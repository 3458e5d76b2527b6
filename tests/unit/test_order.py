"""Whose a device is does not hang on how its phone's events were cut into calls, how long those
took, or how wrong its clock is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.customers.identity.identifier import User, customer_id_of
from clarion.events.envelope import Item, Parcel, open_parcel, split
from clarion.events.messages.timestamps import parse_time
from support.book import SOURCE, WORKSPACE, Book

DAY = datetime(2026, 3, 1, tzinfo=UTC)
DEVICE = "phone"
TOKENS = ("token-1", "token-2")


@dataclass(frozen=True)
class Call:
    """One call as it leaves the phone: its events, and how long after them it arrives."""

    events: list[dict[str, Any]]
    received_at: datetime
    sent_at: datetime | None = None


def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def parcel(call: Call) -> Parcel:
    items = [
        Item(msgspec.json.encode(event), event["type"], event["messageId"]) for event in call.events
    ]
    return Parcel(WORKSPACE, SOURCE, call.received_at, call.sent_at, b"", items, [])


def book_of(*calls: Call) -> Book:
    book = Book()
    for call in calls:
        events, refusals = open_parcel(parcel(call))
        assert refusals == []
        book.take(events)
    return book


def identify(user: str, number: int, **times: str) -> dict[str, Any]:
    context = {"device": {"id": DEVICE, "type": "android"}}
    traits = {"seen": number}
    ids = {"userId": user, "anonymousId": "a-phone", "messageId": f"m{number:03}"}
    return {"type": "identify", "traits": traits, "context": context, **ids, **times}


def register(user: str, number: int, token: str = TOKENS[0], **times: str) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Register Push",
        "userId": user,
        "messageId": f"m{number:03}",
        "properties": {"deviceId": DEVICE, "fcmToken": token, "deviceType": "Android"},
        **times,
    }


def track(user: str, number: int, **times: str) -> dict[str, Any]:
    context = {"device": {"id": DEVICE, "type": "android"}}
    ids = {"userId": user, "messageId": f"m{number:03}"}
    return {"type": "track", "event": "Viewed", "context": context, **ids, **times}


def owner(book: Book) -> Any:
    return book.devices[DEVICE].customer_id


def whose(user: str) -> Any:
    return customer_id_of(WORKSPACE, User(user))


# --- the order of the installation's own clock --------------------------------------------------


def test_a_file_that_waited_is_not_taken_for_a_wrong_clock() -> None:
    """Two files, closed as they were full and delivered together hours later."""
    clock = DAY + timedelta(hours=15, minutes=30)
    later = clock + timedelta(minutes=10)
    delivered = DAY + timedelta(hours=18, minutes=30)
    first = Call(
        [
            identify("ada", 1, timestamp=written(clock)),
            register("ada", 2, timestamp=written(clock)),
        ],
        delivered,
        clock + timedelta(seconds=2),
    )
    second = Call(
        [
            register(DEVICE, 3, timestamp=written(later)),
            register("ben", 4, TOKENS[1], timestamp=written(later + timedelta(seconds=20))),
        ],
        delivered,
        later + timedelta(seconds=25),
    )
    for order in ([first, second], [second, first]):
        book = book_of(*order)
        assert owner(book) == whose("ben")
        assert book.devices[DEVICE].current.token == TOKENS[1]


def test_an_upload_of_six_seconds_does_not_undo_the_sign_out_after_three() -> None:
    at = DAY + timedelta(hours=9)
    sign_in = Call([register("ada", 1, timestamp=written(at))], at + timedelta(seconds=6), at)
    out = at + timedelta(seconds=3)
    sign_out = Call([register(DEVICE, 2, timestamp=written(out))], out, out)
    assert owner(book_of(sign_in, sign_out)) != whose("ada")
    assert owner(book_of(sign_in, sign_out)) == owner(book_of(sign_out, sign_in))


@st.composite
def phones(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[datetime]]:
    """What one phone does, without any times, and when it does so by a right clock."""
    events, moments, at = [], [], DAY
    for number in range(draw(st.integers(2, 7))):
        at += timedelta(seconds=draw(st.integers(1, 4_000)))
        user = draw(st.sampled_from(["ada", "ben", "cem", DEVICE]))
        match draw(st.sampled_from(["register", "register", "identify", "track"])):
            case "register":
                events.append(register(user, number, draw(st.sampled_from(TOKENS))))
            case "identify" if user != DEVICE:
                events.append(identify(user, number))
            case _:
                events.append(track(user, number))
        moments.append(at)
    return events, moments


@settings(max_examples=300)
@given(data=st.data())
def test_any_cutting_delay_and_skew_ends_as_one_immediate_batch(data: st.DataObject) -> None:
    events, moments = data.draw(phones())
    skew = timedelta(seconds=data.draw(st.integers(-90_000, 90_000) | st.sampled_from([0, 10**8])))
    stamped = [
        {**event, "timestamp": written(at + skew)}
        for event, at in zip(events, moments, strict=True)
    ]
    expected = book_of(Call(stamped, moments[-1], moments[-1] + skew))
    calls, start = [], 0
    while start < len(stamped):
        end = data.draw(st.integers(start + 1, len(stamped)))
        closed = moments[end - 1] + timedelta(seconds=2)
        arrives = closed + timedelta(seconds=data.draw(st.integers(0, 20_000)))
        sent_at = data.draw(st.sampled_from([None, closed + skew, arrives + skew]))
        calls.append(Call(stamped[start:end], arrives, sent_at))
        start = end
    calls.sort(key=lambda call: call.received_at)
    book = book_of(*data.draw(st.permutations(calls)))
    if expected.devices:
        assert owner(book) == owner(expected)
    real = {User(name): whose(name) for name in ("ada", "ben", "cem")}
    for message_id, filed in expected.events.items():
        if (customer_id := expected.customer_of(filed)) in real.values():
            assert book.customer_of(book.events[message_id]) == customer_id


SKEWS = [timedelta(hours=8), timedelta(days=400), timedelta(days=-20), timedelta(days=-20_000)]


@pytest.mark.parametrize("skew", SKEWS, ids=["eight hours", "a year", "20 days", "never set"])
@pytest.mark.parametrize("sent", ["at close", "at send", "not said"])
def test_a_wrong_clock_keeps_the_order_of_what_its_person_said(skew: timedelta, sent: str) -> None:
    """Two files, closed as they were full and delivered together: push wanted, then declined."""
    delivered = DAY + timedelta(hours=18)
    calls = []
    for number, (hour, plan) in enumerate([(15, "old"), (17, "new")]):
        said = DAY + timedelta(hours=hour) + skew
        closed = said + timedelta(minutes=number)
        answer = {"channel": "push", "subscribed": plan == "old"}
        event = identify("ada", number, timestamp=written(said))
        event["traits"] = {"plan": plan, "marketingPreferences": {"channels": [answer]}}
        arrives = delivered + timedelta(seconds=number)
        sent_at = {"at close": closed, "at send": arrives + skew}.get(sent)
        calls.append(Call([event], arrives, sent_at))
    for order in (calls, calls[::-1]):
        traits, is_opted_out, *_ = book_of(*order).state()["customers"][whose("ada")]
        assert (traits["plan"], is_opted_out) == ("new", True)


@st.composite
def any_calls(draw: st.DrawFn) -> list[Call]:
    """Late, ahead and without a time."""
    calls = []
    for number in range(draw(st.integers(2, 6))):
        received = DAY + timedelta(minutes=draw(st.integers(0, 20)))
        clock = DAY + timedelta(minutes=draw(st.integers(-30, 60)))
        times = draw(st.sampled_from([{}, {"timestamp": written(clock)}]))
        user = draw(st.sampled_from(["ada", "ben", DEVICE]))
        event = draw(st.sampled_from([register, track, identify]))(user, number, **times)
        sent_at = draw(st.sampled_from([None, received, clock]))
        calls.append(Call([event], received, sent_at))
    return calls


@settings(max_examples=200)
@given(data=st.data(), calls=any_calls())
def test_the_same_events_end_alike_in_any_order_of_arrival(
    data: st.DataObject, calls: list[Call]
) -> None:
    states = [book_of(*data.draw(st.permutations(calls))).state() for _ in range(3)]
    for state in states[1:]:
        assert state == states[0]


def test_a_clock_set_right_after_a_year_ahead_takes_the_device_from_nobody_for_a_year() -> None:
    ahead = Call([register("ada", 1, timestamp=written(DAY + timedelta(days=365)))], DAY)
    right = DAY + timedelta(hours=1)
    out = Call([register("ben", 2, timestamp=written(right))], right, right)
    assert owner(book_of(ahead, out)) == owner(book_of(out, ahead)) == whose("ben")


def test_a_server_beside_a_phone_that_is_ahead_counts_by_its_own_clock() -> None:
    """The phone signs Ada in at nine, by a clock that says eleven; a server, Ben at ten."""
    nine, ten = DAY + timedelta(hours=9), DAY + timedelta(hours=10)
    sign_in = Call([register("ada", 1, timestamp=written(nine + timedelta(hours=2)))], nine)
    events, _ = open_parcel(parcel(sign_in))
    book = Book()
    book.take(events)
    server = Call([register("ben", 2, timestamp=written(ten))], ten)
    events, _ = open_parcel(parcel(server))
    book.take(events, source_id=type(SOURCE)(int=3))
    assert owner(book) == whose("ben")


# --- the place in the call ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "times",
    [
        {"timestamp": "2026-03-01T08:59:01.000Z"},
        {},
        {"timestamp": "soon"},
        {"timestamp": "2027-03-01T08:59:01.000Z"},
        {"timestamp": "1970-01-01T00:00:09.000Z"},
    ],
    ids=["equal", "absent", "unreadable", "ahead", "never set"],
)
def test_within_one_call_the_place_decides_what_times_do_not(times: dict[str, str]) -> None:
    received = DAY + timedelta(hours=12)
    out = [register("ada", 9, **times), register(DEVICE, 1, **times)]
    assert owner(book_of(Call(out, received))) not in (whose("ada"), whose("ben"))
    back = [register(DEVICE, 9, **times), register("ada", 1, **times)]
    assert owner(book_of(Call(back, received))) == whose("ada")
    for people in (["ada", "ben"], ["ben", "ada"]):
        calls = [register(user, 9 - place, **times) for place, user in enumerate(people)]
        assert owner(book_of(Call(calls, received))) == whose(people[-1])


def test_a_clock_that_counts_microseconds_keeps_its_order_behind_what_came_at_once() -> None:
    at = "2026-03-01T08:59:01.00000{}Z".format
    others = [register(user, number, timestamp=at(3)) for number, user in enumerate("abcd")]
    for count in range(len(others)):
        then = [
            register("ada", 8, timestamp=at(3)),
            register(DEVICE, 7, timestamp=at(4)),
        ]
        call = Call([*others[:count], *then], DAY + timedelta(hours=12))
        assert owner(book_of(call)) != whose("ada"), "signed out a microsecond later"


def test_the_place_in_the_call_survives_its_job_being_cut_into_parts() -> None:
    at = {"timestamp": "2026-03-01T08:59:01.000Z"}
    call = Call(
        [register("ada", 9, **at), register(DEVICE, 5, **at), register("ben", 1, **at)], DAY
    )
    for parts in (split(parcel(call), bytes_max=0), reversed(split(parcel(call), bytes_max=0))):
        book = Book()
        for part in parts:
            events, _ = open_parcel(part)
            book.take(events)
        assert owner(book) == whose("ben")


def test_an_event_without_a_time_stands_where_its_neighbour_does() -> None:
    delivered = DAY + timedelta(hours=18)
    call = [
        register("ada", 1, timestamp="2026-03-01T15:30:00.000Z"),
        register(DEVICE, 2, timestamp="٢٠٢٦-٠٣-٠١ soon"),
        register("ben", 3, timestamp="2026-03-01T15:40:00.000Z"),
    ]
    assert owner(book_of(Call(call, delivered))) == whose("ben")


@pytest.mark.parametrize("later", ["ada", "ben"])
def test_of_two_people_at_one_instant_in_two_calls_the_greater_message_id_counts(
    later: str,
) -> None:
    at = {"timestamp": "2026-03-01T08:59:01.000Z"}
    earlier = "ben" if later == "ada" else "ada"
    calls = [Call([register(later, 7, **at)], DAY), Call([register(earlier, 3, **at)], DAY)]
    assert owner(book_of(*calls)) == owner(book_of(*reversed(calls))) == whose(later)


def test_at_one_instant_in_two_calls_a_sign_in_counts_before_a_sign_out() -> None:
    at = {"timestamp": "2026-03-01T08:59:01.000Z"}
    calls = [Call([register("ada", 3, **at)], DAY), Call([register(DEVICE, 7, **at)], DAY)]
    assert owner(book_of(*calls)) == owner(book_of(*reversed(calls))) == whose("ada")


# --- times that can be read ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("٢٠٢٦-٠٣-٠١T٠٨:٥٩:٠١.٠٠٠Z", "2026-03-01T08:59:01+00:00"),
        ("۲۰۲۶-۰۳-۰۱T۰۸:۵۹:۰۱Z", "2026-03-01T08:59:01+00:00"),
        ("२०२६-०३-०१T०८:५९:०१.५००Z", "2026-03-01T08:59:01.500000+00:00"),
        ("2026-03-01T3:33:07 PMZ", "2026-03-01T15:33:07+00:00"),
        ("2026-03-01T12:00:07 AMZ", "2026-03-01T00:00:07+00:00"),
        ("2026-03-01T3:33:07 p. m.Z", "2026-03-01T15:33:07+00:00"),
        ("2026-03-01T3:33:07\u202fPMZ", "2026-03-01T15:33:07+00:00"),
        ("2026-03-01T3:33:07 مZ", "2026-03-01T15:33:07+00:00"),
        ("2026-03-01T3:33:07 上午+08:00", "2026-02-28T19:33:07+00:00"),
        ("2569-03-01T03:33:07.000Z", "2026-03-01T03:33:07+00:00"),
        ("2567-02-29T03:33:07.000Z", "2024-02-29T03:33:07+00:00"),
    ],
)
def test_a_time_as_a_phone_of_another_language_prints_it_is_read(text: str, read: str) -> None:
    assert parse_time(text) == datetime.fromisoformat(read)


@pytest.mark.parametrize(
    "text", ["3:33:07 PM", "2026-03-01T3:33:07 XXZ", "2026-02-30T01:00:00Z", "٢"]
)
def test_what_is_no_time_is_not_guessed_at(text: str) -> None:
    assert parse_time(text) is None
