"""What the console decides by itself: forms, times, numbers, what a place shows."""

from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from babel import Locale

from clarion.audiences.rule_parser import parse
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.content.spec import Content
from clarion.campaigns.content.surfaces import Room, meters, split
from clarion.campaigns.draft import Draft, dump_draft, parse_draft
from clarion.campaigns.timing.calendar import CalendarEntry
from clarion.campaigns.timing.schedule import parse_when
from clarion.customers.devices.device import Platform
from clarion.deliveries.delivery import Skip
from clarion.deliveries.reasons import MEANINGS, meaning
from clarion.faults import Fault, Rejected, invalid
from clarion.web.console.amount import amount, counted, percent
from clarion.web.console.audiences.form import COLUMNS, code_of, read_rows, rows_of
from clarion.web.console.audiences.form import written as built
from clarion.web.console.campaigns.calendar.month import bounds, first_day, month_of
from clarion.web.console.campaigns.compose.form import (
    Written,
    field_of,
    form_of,
    languages_in,
    with_faults,
    with_language,
    written,
)
from clarion.web.console.campaigns.compose.labels import cuts, field_label
from clarion.web.console.campaigns.compose.timing import timing_form, written_timing
from clarion.web.console.campaigns.review.checks import (
    has_changed,
    minutes_at,
    must_be_typed,
)
from clarion.web.console.chart.hours import chart, nice
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


def campaign(
    content: dict[str, object], audience: dict[str, object], timing: dict[str, Any] | None = None
) -> Campaign:
    draft = parse_draft(
        {"name": "Spring", "content": content, "audience": audience, "spread_minutes": 5}
        | {"timing": timing},
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
        timing=draft.timing,
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
    assert written(form_of(before, "UTC"), before) == Written(dump_draft(before))


EVERYTHING = CONTENT | {
    "sound": "chime.caf",
    "badge": 3,
    "interruption_level": "time-sensitive",
    "channel": "news",
    "silent": True,
    "buttons": [{"title": "Open", "link": "app://offers"}, {"title": "Later"}],
    "platforms": {
        "iOS": {"category": "OFFER", "badge": 5},
        "Android": {"icon": "ic_offer", "color": "#1a73e8", "buttons": [{"title": "Go"}]},
        "Web": {"icon": "https://a.example/i.png", "badge": "https://a.example/b.png"},
    },
    "languages": {
        "de": {
            "title": "Hallo",
            "data": {"screen": "angebote"},
            "buttons": [{"title": "Auf"}],
            "platforms": {"iOS": {"body": "Hier"}},
        },
        "de-AT": {"title": "Servus"},
    },
}


@pytest.mark.parametrize(
    "timing",
    [
        None,
        {"at": "2026-12-24T18:00", "zone": "Europe/Vienna"},
        {"at": "2026-12-24T18:00", "own_time": {"fallback": "Asia/Tokyo", "past": "tomorrow"}},
        {
            "at": "2026-12-24T18:00",
            "repeat": {
                "rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
                "until": "2027-02-01",
                "except": ["2026-12-28"],
                "missed": "make_up",
            },
            "zone": "Europe/Vienna",
        },
        {
            "at": "2026-12-22T18:00",
            "repeat": {"rule": "FREQ=MONTHLY;BYDAY=4TU;COUNT=3", "missed": "skip"},
            "own_time": {"fallback": "UTC"},
        },
        {
            "at": "2026-12-31T18:00",
            "repeat": {"rule": "FREQ=MONTHLY;BYMONTHDAY=-1", "missed": "skip"},
            "zone": "UTC",
        },
        {
            "at": "2026-12-31T18:00",
            "repeat": {"rule": "FREQ=MONTHLY;BYDAY=1MO,3MO", "missed": "skip"},
            "zone": "UTC",
        },
    ],
)
def test_all_that_can_be_said_goes_through_the_form_and_back(timing: dict[str, Any] | None) -> None:
    before = campaign(EVERYTHING, {"everyone": True}, timing)
    form = form_of(before, "UTC")
    assert written(form, before) == Written(dump_draft(before))
    assert written_timing(timing_form(timing, "UTC")) == timing
    if timing is not None:
        assert not isinstance(parse_when(timing, NOW, "UTC"), Rejected)


def test_languages_are_added_by_their_tag_and_taken_away() -> None:
    form = {"languages": "de", "new_language": "pt_br", "add_language": "1"}
    added, fault = with_language(form)
    assert (languages_in(added), fault) == (["de", "pt-BR"], None)
    _, wrong = with_language(form | {"new_language": "German!"})
    assert wrong is not None and wrong.field == "new_language"
    removed, _ = with_language({"languages": "de,pt-BR", "remove_language": "de"})
    assert languages_in(removed) == ["pt-BR"]


def test_what_a_language_said_is_gone_with_it() -> None:
    before = campaign(EVERYTHING, {"everyone": True})
    form = form_of(before, "UTC") | {"languages": "de-AT"}
    assert list(written(form, before).wire["content"]["languages"]) == ["de-AT"]


def test_a_button_without_a_title_is_told_at_its_own_row() -> None:
    wire = written({"title": "x", "button2.title": "Later", "ttl_hours": "1"}).wire
    assert wire["content"]["buttons"] == [{"title": ""}, {"title": "Later"}]
    assert field_of("content.buttons[0].title") == "button1.title"
    assert field_of("content.languages.de.platforms.iOS.title") == "de/iOS.title"
    assert field_label("de/iOS.title") == "Title, iPhone, German"
    assert field_label("button2.link") == "Button 2, link"


def test_a_month_has_whole_weeks_in_the_zone_and_order_of_the_person() -> None:
    tokyo = Place(zone=read_zone("Asia/Tokyo"), locale=Locale("en", "US"))
    first = first_day("2026-12", date(2026, 3, 1))
    begin, end = bounds(first, tokyo.locale, "Asia/Tokyo")
    assert begin == datetime(2026, 11, 28, 15, tzinfo=UTC)
    assert end == datetime(2027, 1, 2, 15, tzinfo=UTC)
    launch = CalendarEntry(
        campaign_id=UUID(int=1), name="Spring", state=CampaignState.SCHEDULED, at=NOW
    )
    month = month_of(first, [launch], tokyo, date(2026, 3, 1))
    assert month.day_names[0] == "Sun" and len(month.weeks) == 5
    days = [day for week in month.weeks for day in week if day.entries]
    assert [day.date for day in days] == [date(2026, 12, 25)]  # it is the next day there already
    assert (month.before, month.after) == ("2026-11", "2027-01")


@pytest.mark.parametrize("text", ["", "soon", "2026-13", "1900-01", "9999-12"])
def test_what_is_no_month_is_this_one(text: str) -> None:
    assert first_day(text, date(2026, 3, 17)) == date(2026, 3, 1)


def test_bars_stand_for_every_hour_and_the_best_is_named() -> None:
    drawn = chart({NOW: 4, NOW + timedelta(hours=2): 7})
    assert [bar.count for bar in drawn.bars] == [4, 0, 7]
    assert (drawn.best, drawn.total, drawn.top) == (NOW + timedelta(hours=2), 11, 10)
    assert drawn.bars[2].y + drawn.bars[2].height == drawn.bars[0].y + drawn.bars[0].height
    assert drawn.end == NOW + timedelta(hours=12), "the edge, and not the last bar"
    assert chart({NOW: 0}).best is None
    assert chart({}).bars == []
    assert [nice(most) for most in (0, 1, 3, 11, 450)] == [1, 1, 5, 20, 500]


def test_what_the_form_does_not_show_stays() -> None:
    activity = {"event": "update", "activity_id": "a", "content_state": {"minutes": 5}}
    before = campaign({"title": "Hi", "live_activity": activity}, {"everyone": True})
    wire = written(form_of(before, "UTC"), before).wire
    assert wire["content"]["live_activity"] == dump_draft(before)["content"]["live_activity"]


def test_a_field_is_emptied_by_emptying_it() -> None:
    before = campaign(CONTENT, {"everyone": True})
    form = form_of(before, "UTC") | {
        "body": " ",
        "iOS.title": "",
        "fcm": "",
        "data": "",
        "link": "",
    }
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


def test_what_a_place_cuts_off_is_told_apart_from_what_it_shows() -> None:
    content = Content(title="x" * 22 + "yz", body="b")
    lock_screen = next(
        meter for meter in meters(content, Platform.IOS) if meter.surface == "ios_lock_screen"
    )
    title, body = cuts(content, lock_screen)
    assert (title["seen"], title["cut"]) == ("x" * 22, "yz")
    assert (body["seen"], body["cut"]) == ("b", "")


@pytest.mark.parametrize(
    ("text", "room", "seen"),
    [
        ("abc", Room(characters=3), "abc"),
        ("abcd", Room(characters=3), "abc"),
        ("日本", Room(characters=3), "日"),
        ("e\u0301e\u0301e", Room(characters=2), "e\u0301e\u0301"),
        ("a\nb\nc", Room(lines=2), "a\nb\n"),
        ("aaabbbc", Room(characters=6, lines=2), "aaabbb"),
    ],
)
def test_a_text_is_cut_where_its_room_ends(text: str, room: Room, seen: str) -> None:
    shown, cut = split(text, room)
    assert (shown.rstrip("\n"), shown + cut) == (seen.rstrip("\n"), text)


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


@pytest.mark.parametrize(
    "form",
    [
        {"whom": "rule", "rule": " "},
        {"whom": "rule", "rule": "{}"},
        {"whom": "rule", "rule": "null"},
        {"whom": "nobody"},
        {"whom": ""},
    ],
)
def test_what_does_not_say_who_gets_it_never_means_everyone(form: dict[str, str]) -> None:
    rejected = with_faults(written({"title": "x", "ttl_hours": "1", **form}), None)
    assert rejected is not None
    assert [fault.field for fault in rejected.faults] == ["whom"]


@pytest.mark.parametrize(
    "row",
    [
        {"kind": "event", "what": "Bought", "test": "did", "value": "", "days": "thirty"},
        {"kind": "trait", "what": "", "test": "equals", "value": "pro", "days": ""},
    ],
)
def test_a_condition_that_is_not_whole_is_told_and_not_left_out(row: dict[str, str]) -> None:
    """Without it many more would be in the audience."""
    rule = built({}, {name: [row[name]] for name in COLUMNS})
    assert isinstance(rule, Fault) or isinstance(parse(rule), list)
