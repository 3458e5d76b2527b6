"""What the console decides by itself: forms, times, numbers, what a place shows."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from babel import Locale

from clarion.audiences.rule_parser import parse
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content.spec import Content
from clarion.campaigns.draft import Draft, dump_draft, parse_draft
from clarion.customers.devices.device import Platform
from clarion.deliveries.delivery import Skip
from clarion.deliveries.reasons import MEANINGS, meaning
from clarion.faults import Fault, Rejected, invalid
from clarion.web.console.amount import amount, counted, percent
from clarion.web.console.audiences.form import COLUMNS, code_of, read_rows, rows_of
from clarion.web.console.audiences.form import written as built
from clarion.web.console.campaigns.compose.form import (
    Written,
    field_of,
    form_of,
    with_faults,
    written,
)
from clarion.web.console.campaigns.compose.limits import measured
from clarion.web.console.campaigns.review.checks import (
    has_changed,
    minutes_at,
    must_be_typed,
)
from clarion.web.console.when import Place, as_field, from_field, length, read_zone, when, when_near

NOW = datetime(2026, 12, 24, 17, 0, tzinfo=UTC)
BERLIN = Place(zone=read_zone("Europe/Berlin"), locale=Locale("en", "GB"))

CONTENT = {
    "title": "Hi {{ customer.first_name }}",
    "body": "There\nand back",
    "link": "app://offers",
    "data": {"screen": "offers", "n": "1"},
    "ttl_seconds": 5_400,
    "priority": "normal",
    "collapse_key": "offers",
    "fcm": {"android": {"notification": {"channel_id": "news"}}},
    "platforms": {"iOS": {"title": "Hi", "ttl_seconds": 60}, "Web": {"link": "https://a.example"}},
}


def campaign(content: dict[str, object], audience: dict[str, object]) -> Campaign:
    draft = parse_draft(
        {"name": "Spring", "content": content, "audience": audience, "spread_minutes": 5},
        lambda content, *, platform: [],
    )
    assert isinstance(draft, Draft), draft
    return Campaign(
        id=UUID(int=1),
        workspace_id=UUID(int=2),
        name=draft.name,
        content=draft.content,
        audience=draft.audience,
        spread_minutes=draft.spread_minutes,
        created_at=NOW,
        changed_at=NOW,
    )


@pytest.mark.parametrize(
    "audience",
    [
        {"everyone": True},
        {"audience": "pro"},
        {"user_ids": ["ada", "grace"]},
        {"all": [{"traits": {"plan": "pro"}}, {"none": [{"audience": "vip"}]}]},
    ],
)
def test_a_form_that_nobody_has_touched_changes_nothing(audience: dict[str, object]) -> None:
    before = campaign(CONTENT, audience)
    assert written(form_of(before), before) == Written(dump_draft(before))


def test_what_the_form_does_not_show_stays() -> None:
    activity = {"event": "update", "activity_id": "a", "content_state": {"minutes": 5}}
    before = campaign({"title": "Hi", "live_activity": activity}, {"everyone": True})
    wire = written(form_of(before), before).wire
    assert wire["content"]["live_activity"] == dump_draft(before)["content"]["live_activity"]


def test_a_field_is_emptied_by_emptying_it() -> None:
    before = campaign(CONTENT, {"everyone": True})
    form = form_of(before) | {"body": " ", "iOS.title": "", "fcm": "", "data": "", "link": ""}
    content = written(form, before).wire["content"]
    assert (content["body"], content["link"], content["data"]) == (None, None, {})
    assert "fcm" not in content
    assert content["platforms"]["iOS"] == {"ttl_seconds": 60}


@pytest.mark.parametrize(
    ("field", "value", "told_of"),
    [
        ("fcm", "{", "fcm"),
        ("data", "no mark", "data"),
        ("ttl_hours", "many", "ttl_hours"),
        ("rule", "[", "whom"),
    ],
)
def test_what_can_not_be_read_is_told_at_its_field(field: str, value: str, told_of: str) -> None:
    draft = written({"whom": "rule" if field == "rule" else "everyone", "title": "x", field: value})
    rejected = with_faults(draft, None)
    assert rejected is not None
    assert told_of in {fault.field for fault in rejected.faults}


def test_a_saved_audience_must_be_chosen() -> None:
    rejected = with_faults(written({"whom": "saved", "ttl_hours": "1"}), None)
    assert rejected is not None and rejected.faults[0].field == "whom"


def test_faults_of_a_draft_stand_at_the_fields_of_the_form() -> None:
    paths = {
        "name": "name",
        "audience.all[0].test": "whom",
        "content.title": "title",
        "content.platforms.iOS.body": "iOS.body",
        "content.ttl_seconds": "ttl_hours",
        "content.fcm.android": "fcm",
        "content.data[a]": "data",
        "spread_minutes": "spread_minutes",
    }
    assert {path: field_of(path) for path in paths} == paths
    rejected = with_faults(Written({}), invalid(Fault("content.title", "is missing")))
    assert isinstance(rejected, Rejected)
    assert rejected.faults == (Fault("title", "is missing"),)


def test_an_instant_is_in_the_zone_of_the_person_which_is_named() -> None:
    assert str(when(NOW, BERLIN)) == (
        '<time datetime="2026-12-24T17:00:00+00:00">24 Dec 2026, 18:00 CET</time>'
    )
    assert "5:00\u202fPM UTC" in when(NOW, Place(zone=read_zone("none"), locale=Locale("en", "US")))
    assert str(when(None, BERLIN)) == "–"


def test_what_is_near_says_how_far_it_is() -> None:
    assert "(in 20 min)" in when_near(NOW + timedelta(minutes=20), BERLIN, NOW)
    assert "(3 h ago)" in when_near(NOW - timedelta(hours=3), BERLIN, NOW)
    assert "ago" not in when_near(NOW - timedelta(days=2), BERLIN, NOW)
    assert [length(timedelta(seconds=s)) for s in (0, 59, 61, 86_400, 200_000)] == [
        "0 s", "59 s", "1 min", "24 h", "2 days",
    ]  # fmt: skip


def test_a_field_for_a_time_is_read_in_the_zone_in_which_it_was_shown() -> None:
    assert as_field(NOW, BERLIN) == "2026-12-24T18:00"
    assert from_field("2026-12-24T18:00", BERLIN) == NOW
    assert from_field("soon", BERLIN) is None


def test_numbers_are_grouped_and_small_ones_have_no_percentage() -> None:
    german = Locale("de")
    assert (amount(12_431, german), amount(None, german)) == ("12.431", "–")
    assert percent(1, 99, german) is None
    assert percent(200, 1_000, german) == "20,0\xa0%" or percent(200, 1_000, german) == "20,0 %"
    assert (counted(1, "device", german), counted(0, "device", german)) == ("1 device", "0 devices")


def test_a_text_is_measured_against_each_place_of_its_platform() -> None:
    long = measured(Content(title="x" * 23, body="y" * 60), Platform.IOS)
    assert [(one.length, one.shown, one.is_cut) for one in long] == [
        (23, 22, True),
        (60, 179, False),
    ]
    assert measured(Content(), Platform.WEB) == []


def test_every_reason_of_ours_to_skip_is_said_in_words() -> None:
    assert {skip.value for skip in Skip} <= set(MEANINGS)
    assert "not believed" in meaning("doubted_unauthenticated").says
    assert meaning("some_new_word").says == "FCM said “some new word”."


def test_a_launch_is_looked_at_again_where_its_number_has_changed_much() -> None:
    assert not has_changed(100, 110)
    assert has_changed(100, 111)
    assert has_changed(0, 1)
    assert (must_be_typed(9_999), must_be_typed(10_000)) == (False, True)
    assert (minutes_at(100, 600), minutes_at(1_200, 600)) == (0, 2)


@pytest.mark.parametrize(
    "wire",
    [
        {"everyone": True},
        {"trait": "plan", "test": "equals", "value": "pro"},
        {"trait": "zip", "test": "equals", "value": "0815"},
        {"trait": "age", "test": "at_least", "value": 30},
        {"trait": "is_member", "test": "equals", "value": True},
        {"any": [{"event": "Order", "test": "did", "last_days": 7}, {"audience": "vip"}]},
        {"all": [{"trait": "left", "test": "missing"}, {"event": "Order", "test": "did_not"}]},
        {"device": [{"field": "platform", "test": "equals", "value": "iOS"}]},
    ],
)
def test_rows_of_a_builder_that_nobody_has_touched_change_nothing(wire: dict[str, object]) -> None:
    rule = parse(wire)
    assert not isinstance(rule, list), rule
    shown = rows_of(rule)
    assert shown is not None
    combined, rows = shown
    cells = [astuple(row) for row in rows]
    many = {name: [row[place] for row in cells] for place, name in enumerate(COLUMNS)}
    assert read_rows(many) == rows
    assert built({"combined": combined}, many) == wire


@pytest.mark.parametrize(
    "wire",
    [
        {"none": [{"audience": "vip"}]},
        {"all": [{"any": [{"audience": "a"}, {"audience": "b"}]}, {"audience": "c"}]},
        {"event": "Order", "test": "did", "since": "2026-01-01"},
        {"trait": "age", "test": "between", "value": [1, 2]},
    ],
)
def test_a_rule_that_rows_can_not_say_is_left_as_it_is(wire: dict[str, object]) -> None:
    rule = parse(wire)
    assert not isinstance(rule, list), rule
    assert rows_of(rule) is None


def test_a_code_is_made_of_a_name() -> None:
    assert code_of("  Pro customers, 2026! ") == "pro-customers-2026"
    assert isinstance(built({"json": "{"}, {}), Fault)
