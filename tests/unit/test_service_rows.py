"""Rows of other services' exports become the records of an import, as the guides say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.faults import Rejected
from clarion.importing.lines.row_reader import RecordFormat, read_records
from clarion.importing.lines.text_reader import Mark, RecordForm
from clarion.importing.services.formats import FORMATS, Service
from clarion.importing.services.service_row import ServiceRow
from support.sampling import examples

EXPORTS = Path(__file__).parents[1] / "golden" / "exports"
LEFT_PUSH = {"channels": [{"channel": "push", "subscribed": False}]}


def rows_of(name: str, service: Service) -> Iterator[ServiceRow | Rejected]:
    """The rows of a file, read."""
    form = RecordForm.CSV if name.endswith(".csv") else RecordForm.NDJSON
    written = RecordFormat(
        form=form,
        names=FORMATS[service].names,
        has_repeated_columns=FORMATS[service].has_repeated_columns,
    )
    with (EXPORTS / name).open("rb") as file:
        for record in read_records(file, written, Mark()):
            assert not isinstance(record.record, Rejected), record
            yield FORMATS[service].read(record.record)


def whole(row: ServiceRow | Rejected) -> ServiceRow:
    assert isinstance(row, ServiceRow), row
    return row


def traits_of(row: ServiceRow | Rejected) -> Any:
    customer = whole(row).customer
    return None if customer is None else customer["traits"]


def codes(rows: list[ServiceRow | Rejected]) -> list[list[str]]:
    """What is refused of each row."""
    return [
        [row.code] if isinstance(row, Rejected) else [fault.code for fault in row.refused]
        for row in rows
    ]


def devices(row: ServiceRow | Rejected) -> list[tuple[str, str, str | None]]:
    return [
        (device["device_id"], device["platform"], device.get("user_id"))
        for device in whole(row).devices
    ]


def test_pinpoint_gives_a_users_attributes_and_the_devices_of_firebase() -> None:
    rows = list(rows_of("pinpoint.json", Service.PINPOINT))
    assert codes(rows) == [
        [], [], ["token_of_apns"], [], ["no_push_channel"], ["endpoint_inactive"], [],
    ]  # fmt: skip
    assert traits_of(rows[0]) == {"Plan": "gold", "Interests": ["news", "sport"], "Level": 4.0}
    assert whole(rows[0]).devices[0]["facts"]["model"] == "Pixel 9"
    assert whole(rows[0]).devices[0]["timestamp"] == "2026-10-20T08:00:00+00:00"
    assert devices(rows[0]) == [("ep-1", "Android", "user-1")]
    assert traits_of(rows[1]) == {"marketingPreferences": LEFT_PUSH}
    assert traits_of(rows[2]) == {"Plan": "free", "marketingPreferences": LEFT_PUSH}
    assert traits_of(rows[3]) == {"email": "user-1@example.org"}, "an opt-out of mail is none here"
    assert not whole(rows[5]).devices


def test_pinpoints_csv_says_the_same_as_its_json() -> None:
    rows = list(rows_of("pinpoint.csv", Service.PINPOINT))
    assert codes(rows) == [[], [], ["token_of_apns"]]
    assert traits_of(rows[0]) == {"Plan": "gold", "Interests": ["news", "sport"]}
    assert devices(rows[0]) == [("ep-1", "Android", "user-1")]
    assert traits_of(rows[2]) == {"Plan": "free", "marketingPreferences": LEFT_PUSH}


def test_onesignal_tells_an_opt_out_from_a_phone_that_does_not_permit_pushes() -> None:
    rows = list(rows_of("onesignal.csv", Service.ONESIGNAL))
    assert codes(rows) == [
        [], [], [], ["token_of_apns"], ["identifier_invalid"], ["no_fcm_device"], [], [],
    ]  # fmt: skip
    known = {"language": "en", "country": "DE", "timezone": "Europe/Berlin"}
    assert traits_of(rows[0]) == {"plan": "gold", "level": "4"} | known
    assert traits_of(rows[1]) == known | {"marketingPreferences": LEFT_PUSH}
    assert traits_of(rows[2]) == known
    assert whole(rows[2]).devices[0]["facts"]["push_permission"] == "denied"
    assert "push_permission" not in whole(rows[1]).devices[0]["facts"]
    assert traits_of(rows[3])["plan"] == "free", "whose token is not taken is known all the same"
    assert traits_of(rows[6])["email"] == "user-11@example.org"
    assert devices(rows[7]) == [("sub-8", "Android", None)]
    assert whole(rows[0]).devices[0]["timestamp"] == "2026-10-20T08:00:00+00:00"


@pytest.mark.parametrize("name", ["customer-io.ndjson", "customer-io.csv"])
def test_customer_io_gives_topics_that_were_left_and_opt_outs(name: str) -> None:
    first, second, *_ = rows_of(name, Service.CUSTOMER_IO)
    told = traits_of(first)
    assert told["marketingPreferences"] == {
        "categories": [{"category": "topic_3", "subscribed": False}]
    }
    assert told["plan"] == "gold" and told["email"] == "user-21@example.org"
    assert not {"_last_emailed", "cio_id", "id", "unsubscribed"} & told.keys()
    assert traits_of(second)["marketingPreferences"] == LEFT_PUSH


def test_customer_io_gives_devices_it_still_sends_to() -> None:
    rows = list(rows_of("customer-io.ndjson", Service.CUSTOMER_IO))
    assert codes(rows) == [["token_of_apns"], [], ["device_suppressed"], ["user_id_missing"]]
    assert [platform for _, platform, _ in devices(rows[0])] == ["Android"]
    assert whole(rows[1]).devices[0]["facts"] == {"push_permission": "denied"}


def test_airship_gives_channels_and_their_named_users() -> None:
    rows = list(rows_of("airship.ndjson", Service.AIRSHIP))
    assert codes(rows) == [[], [], ["token_of_apns"], ["app_uninstalled"], ["no_fcm_device"]]
    assert traits_of(rows[0]) == {"city": "Bonn", "tags": ["beta"], "tags_plan": ["gold"]}
    assert devices(rows[0]) == [("ch-1", "Android", "user-31")]
    assert whole(rows[1]).devices[0]["facts"] == {"push_permission": "denied"}
    assert traits_of(rows[2]) == {"tags": ["beta"]}


def test_posthog_gives_persons_without_its_own_properties_and_tokens_from_their_file() -> None:
    persons = list(rows_of("posthog.ndjson", Service.POSTHOG))
    assert codes(persons) == [[], ["user_id_missing"]]
    assert traits_of(persons[0]) == {"email": "user-41@example.org", "plan": "gold"}
    assert whole(persons[0]).customer["user_id"] == "user-41"  # type: ignore[index]
    tokens = list(rows_of("posthog-tokens.csv", Service.POSTHOG))
    assert codes(tokens) == [[], [], ["token_of_apns"], [], ["token_missing"]]
    assert [user for row in tokens[:2] for _, _, user in devices(row)] == ["user-41", "user-42"]


def test_braze_gives_a_device_for_each_token_of_firebase() -> None:
    rows = list(rows_of("braze.ndjson", Service.BRAZE))
    assert codes(rows) == [["token_of_apns"], [], [], ["user_id_missing"]]
    assert devices(rows[0]) == [("dev-51", "Android", "user-51")]
    assert traits_of(rows[0])["first_name"] == "Ada" and traits_of(rows[0])["plan"] == "gold"
    assert traits_of(rows[1]) == {"plan": "free", "marketingPreferences": LEFT_PUSH}
    assert whole(rows[2]).devices[0]["facts"]["push_permission"] == "denied"


def test_topics_of_firebase_become_traits_that_add_to_each_other() -> None:
    rows = list(rows_of("firebase-topics.ndjson", Service.FIREBASE_TOPICS))
    assert codes(rows) == [[], [], ["token_missing"]]
    assert traits_of(rows[0]) == {"topic_news": True, "topic_offers": True}
    (device,) = devices(rows[1])
    assert whole(rows[1]).customer == {
        "anonymous_id": device[0], "timestamp": None, "traits": {"topic_news": True},
    }  # fmt: skip
    assert device[1] == "iOS"
    lines = list(rows_of("firebase-topics.csv", Service.FIREBASE_TOPICS))
    assert codes(lines) == [[], [], ["topic_malformed"]]
    assert [traits_of(line) for line in lines[:2]] == [
        {"topic_news": True}, {"topic_offers": True},
    ]  # fmt: skip
    assert devices(lines[0]) == devices(lines[1]), "the name of a device follows from its token"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
named = st.sampled_from(
    sorted(
        {"User", "Demographic", "Attributes", "OptOut", "ChannelType", "device_type", "tags",
         "customer", "devices", "attributes", "tag_groups", "push_tokens", "custom_attributes",
         "rel", "topics", "topic", "platform", "properties", "distinct_ids", "token", "user_id",
         "device_id", "unsubscribed", "identifiers", "notification_types", "User.UserId"}
    )
)  # fmt: skip


@pytest.mark.parametrize("service", list(Service))
@settings(max_examples=examples(40))
@given(row=st.dictionaries(named | st.text(), anything))
def test_whatever_stands_in_a_row_is_read_or_refused(service: Service, row: Any) -> None:
    read = FORMATS[service].read(row)
    assert isinstance(read, (ServiceRow, Rejected))
    for device in read.devices if isinstance(read, ServiceRow) else ():
        assert device["device_id"] and device["token"] and device["platform"]


@pytest.mark.parametrize(
    ("service", "column"),
    [(service, column) for service, form in FORMATS.items() for column in form.objects],
)
@pytest.mark.parametrize("text", ["{bad json", "plan=gold", '["gold"]', "7"])
def test_an_object_that_can_not_be_read_is_refused_and_loses_no_opt_out(
    service: Service, column: str, text: str
) -> None:
    row = FORMATS[service].read({"user_id": "ada", column: text})
    assert isinstance(row, Rejected) and row.code == "column_no_json"
    assert column in row.message


def test_an_empty_object_is_none() -> None:
    for form in FORMATS.values():
        for column, text in ((column, text) for column in form.objects for text in ("", " ", "{}")):
            row = form.read({"user_id": "ada", column: text})
            assert not (isinstance(row, Rejected) and row.code == "column_no_json")
