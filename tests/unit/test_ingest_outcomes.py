"""What is counted of a source, and what somebody is warned of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from clarion.customers.diagnostics import REFRESH_DAYS, WarningCode
from clarion.customers.identity.batch import Arrival, Batch
from clarion.customers.identity.identifier import Flags
from clarion.customers.identity.known import Identifier
from clarion.customers.identity.timeline import SHARED_USERS_MAX
from clarion.customers.ingest_plan.outcomes import Outcomes
from clarion.customers.ingest_plan.warnings import warnings_of
from clarion.customers.profile.traits import PROFILE_BYTES_MAX, TRAITS_MAX
from clarion.events.messages.message import Envelope, Event, read
from clarion.ingest_log.diagnostics import CURES, WARNINGS, cure_of
from clarion.ingest_log.outcome import Entry, Stage, refused_entry
from clarion.ingest_log.rejection import RejectedEvent
from clarion.ingest_log.tally import OTHER, Kind, Names, Tally
from support.book import NOW, SOURCE, WORKSPACE

HEX = "0a1b2c3d" * 8


def event(type_: str = "track", message_id: str = "m", **fields: Any) -> Event:
    raw = msgspec.json.encode({"type": type_, "event": "Seen", "userId": "u", **fields})
    found = read(raw, type_=type_, message_id=message_id, envelope=ENVELOPE)
    assert isinstance(found, Event)
    return found


ENVELOPE = Envelope(received_at=NOW, sent_at=None)


def arrivals(*events: Event) -> list[Arrival]:
    return [Arrival(event=one, source_id=SOURCE) for one in events]


def settled(events: Sequence[Event], known: dict[str, Identifier] | None = None) -> Batch:
    batch = Batch(arrivals(*events))
    batch.meet(known or {})
    batch.settle({})
    return batch


def warned(*events: Event, known: dict[str, Identifier] | None = None) -> list[tuple[str, str]]:
    return [(one.code.value, one.subject) for one in warnings_of(settled(events, known))]


class Counters:
    """What one transaction says."""

    def __init__(self, names: Names) -> None:
        self.tally = Tally(names)
        self.outcomes = Outcomes(self.tally, WORKSPACE)

    def refuse(self, refusals: Sequence[RejectedEvent], key: str = "") -> None:
        for refusal in refusals:
            self.tally.add(refused_entry(WORKSPACE, SOURCE, NOW, Stage.EVENT, refusal), key)

    @property
    def notes(self) -> list[Entry]:
        return [entry for _, entry in self.tally.rows()]


def counted(counters: Counters) -> dict[tuple[str, str, str], int]:
    counts = counters.tally.counts()
    return {(kind, label, name): n for (_, _, kind, label, name), n in counts.items()}


def test_events_are_counted_by_type_and_name_and_sdk() -> None:
    counters = Counters(Names())
    library = {"library": {"name": "analytics.js", "version": "2.1"}}
    counters.outcomes.accept(
        arrivals(event(context=library), event(), event("identify", event=None))
    )
    assert counted(counters) == {
        (Kind.ACCEPTED, "track", "Seen"): 2,
        (Kind.ACCEPTED, "identify", ""): 1,
        (Kind.SDK, "analytics.js", "2.1"): 1,
    }


@pytest.mark.parametrize("library", ["analytics.js", 7, None, {"name": 7}, {"name": "\ud83d"}, {}])
def test_a_library_that_says_nothing_is_counted_without_a_name(library: Any) -> None:
    counters = Counters(Names())
    seen = event()
    counters.outcomes.accept(arrivals(msgspec.structs.replace(seen, context={"library": library})))
    assert counted(counters)[Kind.SDK, "", ""] == 1


def test_more_names_than_are_told_apart_are_counted_together() -> None:
    names = Names(names_max=2)
    for number in range(5):
        counters = Counters(names)
        counters.outcomes.accept(arrivals(*[event(event=f"name {number}")] * (number + 1)))
        found = counted(counters)
        told = f"name {number}" if number < 2 else OTHER
        assert found == {(Kind.ACCEPTED, "track", told): number + 1}


def test_another_hour_has_names_of_its_own() -> None:
    names = Names(names_max=1)
    later = NOW + timedelta(hours=1)
    for name, at in (("one", NOW), ("two", NOW), ("two", later)):
        counters = Counters(names)
        one = msgspec.structs.replace(event(event=name), received_at=at)
        counters.outcomes.accept(arrivals(one))
        assert (Kind.ACCEPTED, "track", name if name == "one" or at > NOW else OTHER) in counted(
            counters
        )


def test_a_very_long_name_is_counted_by_its_beginning() -> None:
    counters = Counters(Names())
    counters.outcomes.accept(arrivals(event(event="n" * 900)))
    assert counted(counters) == {(Kind.ACCEPTED, "track", "n" * 100): 1}


def test_refusals_that_are_alike_are_counted_each() -> None:
    counters = Counters(Names())
    refusal = RejectedEvent(message_id=None, code="event_unreadable", message="…", excerpt="")
    counters.refuse([refusal] * 3)
    assert len(counters.notes) == 3
    assert counted(counters) == {(Kind.REFUSED, "event_unreadable", ""): 3}


def test_the_same_refusals_have_the_same_ids_when_their_job_comes_back() -> None:
    refusals = [RejectedEvent(message_id="m", code="id_too_long", message="…", excerpt="")] * 2
    first, second = Counters(Names()), Counters(Names())
    for counters in (first, second):
        counters.refuse(refusals, "call")
    assert set(first.tally.ids) == set(second.tally.ids)
    second.tally.forget(second.tally.ids)
    assert counted(second) == {}
    other = Counters(Names())
    other.refuse(refusals, "another call")
    assert not {*first.tally.ids} & {*other.tally.ids}


def test_a_warning_is_said_once_an_hour_and_counted() -> None:
    counters = Counters(Names())
    batch = settled([event("alias", f"m{number}") for number in range(3)])
    counters.outcomes.warn(warnings_of(batch))
    (note,) = counters.notes
    assert (note.stage, note.code) == (Stage.IDENTITY, "alias_without_previous_id")
    assert note.message_id == "m0"
    assert counted(counters) == {(Kind.WARNING, "alias_without_previous_id", ""): 3}
    again = Counters(Names())
    again.outcomes.warn(warnings_of(settled([event("alias", "m9")])))
    assert again.tally.ids == counters.tally.ids


def test_a_name_that_is_misspelt_is_warned_of_with_the_right_one() -> None:
    counters = Counters(Names())
    found = arrivals(event(event="RegisterPush"), event(event="Seen"), event(event="RegisterPush"))
    counters.outcomes.accept(found)
    (note,) = counters.notes
    assert note.code == WarningCode.EVENT_NAME_MISSPELT
    assert (note.message or "").endswith("`RegisterPush` should be `Register Push`.")
    assert counted(counters)[Kind.WARNING, "event_name_misspelt", "Register Push"] == 2


def test_an_alias_that_joins_nobody_is_warned_of() -> None:
    real = Identifier(flags=Flags(is_user=True))
    assert warned(event("alias", userId="u", previousId="anonymous-7")) == []
    assert warned(event("alias", userId="u", previousId="null")) == [
        ("alias_without_previous_id", "")
    ]
    refused = [("cannot_merge_already_identified", "")]
    assert warned(event("alias", userId="u", previousId="u")) == refused
    assert warned(event("alias", userId="u", previousId="v"), known={"v": real}) == refused


def test_a_device_id_that_is_a_persons_user_id_is_warned_of() -> None:
    person = event("identify", userId="ada", traits={"email": "ada@example.org"})
    device = event(event="Register Push", userId="ada", properties={"deviceId": "ada"})
    assert warned(person, device) == [("device_id_is_user_id", "")] * 2
    assert warned(event(event="Register Push", userId="D", properties={"deviceId": "D"})) == []


def test_a_known_persons_user_id_sent_as_a_device_id_by_another_is_warned_of() -> None:
    person = event("identify", userId="ada", traits={"first_name": "Ada"})
    other = event(event="Seen", anonymousId="x", properties={"deviceId": "ada"})
    assert ("device_id_is_user_id", "") in warned(person, other)


def test_a_push_preference_that_can_not_be_read_is_warned_of() -> None:
    channels = [{"channel": "push", "subscribed": "perhaps"}]
    unclear = event("identify", userId="u", traits={"marketingPreferences": {"channels": channels}})
    assert warned(unclear) == [("push_preference_unreadable", "")]


def test_a_key_that_many_users_come_with_is_warned_of() -> None:
    many = [
        event(
            userId=f"u{number}",
            anonymousId="kiosk",
            timestamp=(NOW - timedelta(minutes=30 - number)).isoformat(),
        )
        for number in range(22)
    ]
    assert warned(*many) == [("key_shared", "")] * 22
    assert warned(*many[:20]) == []


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"context": {"device": {"type": "ios", "token": HEX}}}, "context.device.token"),
        (
            {"context": {"device": {"token": HEX}, "os": {"name": "iPadOS"}}},
            "context.device.token",
        ),
        ({"properties": {"deviceType": "iOS", "fcmToken": HEX}}, "properties.fcmToken"),
        ({"properties": {"deviceType": "Android", "fcmToken": HEX}}, "properties.fcmToken"),
        ({"properties": {"deviceType": 7, "fcmToken": HEX}}, "properties.fcmToken"),
    ],
)
def test_an_apns_token_is_warned_of_with_its_place(fields: Any, where: str) -> None:
    assert warned(event(**fields)) == [("apns_token", where)]


@pytest.mark.parametrize(
    "fields",
    [
        {"context": {"device": {"type": "android", "token": HEX}}},
        {"context": {"device": {"type": "ios", "token": "fcm:APA91b"}}},
        {"context": {"device": "ios"}},
        {"context": {"device": {"token": HEX}, "os": 7}},
        {"properties": {"deviceType": "iOS", "fcmToken": HEX[:60]}},
    ],
)
def test_what_is_no_apns_token_of_an_ios_app_is_not_warned_of(fields: Any) -> None:
    assert warned(event(**fields)) == []


@pytest.mark.parametrize("name", ["Register Push", "Device Token Retrieved"])
def test_a_registration_that_is_stale_when_it_comes_is_warned_of(name: str) -> None:
    def registered(days: int, name: str = name) -> Event:
        return event(event=name, timestamp=(NOW - timedelta(days=days)).isoformat())

    assert warned(registered(46)) == [("registered_long_ago", "")]
    assert warned(registered(44), registered(700, "Product Viewed")) == []


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [
        ("yesterday", "time_unreadable"),
        (1_700_000_000, "time_unreadable"),
        ("2099-01-01T00:00:00Z", "time_impossible"),
        ("1970-01-01T00:00:00Z", "time_impossible"),
    ],
)
def test_a_time_that_can_not_be_used_is_warned_of(timestamp: Any, code: str) -> None:
    assert warned(event(timestamp=timestamp)) == [(code, "")]


@pytest.mark.parametrize("timestamp", [None, "", "2026-03-01T11:00:00Z"])
def test_a_time_that_can_be_used_or_is_not_given_is_fine(timestamp: Any) -> None:
    assert warned(event(timestamp=timestamp)) == []


def test_every_warning_has_a_meaning_and_a_cure() -> None:
    assert set(WARNINGS) == set(WarningCode)
    assert not set(CURES) & set(WARNINGS)
    for code in (*WarningCode, *CURES):
        assert cure_of(code)
    assert cure_of("of a later version") is None


def test_warnings_name_the_limits_that_hold() -> None:
    for code, limit in (
        (WarningCode.KEY_SHARED, f"More than {SHARED_USERS_MAX} users"),
        (WarningCode.REGISTERED_LONG_AGO, f"more than {REFRESH_DAYS} days"),
        (WarningCode.TOKENS_NOT_REFRESHED, f"in use {REFRESH_DAYS} days"),
        (WarningCode.TOKENS_NOT_REFRESHED, f"registered for {REFRESH_DAYS} days"),
        (WarningCode.PROFILE_FULL, f"{TRAITS_MAX:,} traits"),
        (WarningCode.PROFILE_FULL, f"{PROFILE_BYTES_MAX // 1024} KiB"),
    ):
        assert limit in WARNINGS[code].meaning


def test_what_tells_two_refusals_apart_is_all_of_them() -> None:
    counters = Counters(Names())
    rejected_event = RejectedEvent(message_id="m", code="id_too_long", message="…", excerpt="a")
    counters.refuse([rejected_event, replace(rejected_event, excerpt="b")])
    assert len(set(counters.tally.ids)) == 2
