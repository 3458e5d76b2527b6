"""Liquid over a customer: what it renders, what it refuses, and that nothing runs away."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.content.spec import Content, ContentSpec, parse_content
from clarion.campaigns.content.templates.template import (
    LOOPS_MAX,
    OUTPUT_BYTES_MAX,
    STEPS_A_RENDERING,
    STEPS_MAX,
    TEMPLATE_CHARACTERS_MAX,
    VALUE_SIZE_MAX,
    Template,
    faults_of,
)
from clarion.customers.devices.device import Platform
from clarion.faults import Fault

ANDROID, IOS = Platform.ANDROID, Platform.IOS


def spec(wire: dict[str, Any]) -> ContentSpec:
    found = parse_content(wire)
    assert isinstance(found, ContentSpec), found
    return found


def rendered(
    text: str, traits: dict[str, Any] | None = None, user_id: str | None = None
) -> str | None:
    """What a body becomes; the title keeps the push from being empty."""
    wire = spec({"title": "Hello", "body": text})
    assert faults_of(wire) == []
    found = Template(wire).render(ANDROID, user_id=user_id, traits=traits or {})
    assert isinstance(found, Content), found
    return found.body


def fault(text: str, traits: dict[str, Any] | None = None) -> Fault:
    """Why a body can not be rendered for this customer."""
    wire = spec({"title": "Hello", "body": text})
    assert faults_of(wire) == []
    found = Template(wire).render(ANDROID, user_id=None, traits=traits or {})
    assert isinstance(found, Fault), found
    assert found.field == "content.body"
    return found


def refused(text: str) -> str:
    """Why a body can not be saved."""
    (found,) = faults_of(spec({"title": "Hello", "body": text}))
    assert found.field == "content.body"
    return found.message


# --- what it renders ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "traits", "said"),
    [
        ("Hi {{ customer.name }}", {"name": "Ada"}, "Hi Ada"),
        ("Hi {{ customer.name }}!", {}, "Hi !"),
        ('Hi {{ customer.name | default: "there" }}', {}, "Hi there"),
        ('Hi {{ customer.name | default: "there" }}', {"name": ""}, "Hi there"),
        ('Hi {{ customer.name | default: "there" }}', {"name": "Ada"}, "Hi Ada"),
        ("{{ customer.address.city | upcase }}", {"address": {"city": "Bath"}}, "BATH"),
        ("{{ customer.address.city }}", {"address": "none"}, ""),
        ("{{ customer['last order'] }}", {"last order": 7}, "7"),
        ("{% if customer.vip %}yes{% else %}no{% endif %}", {"vip": True}, "yes"),
        ("{% if customer.vip %}yes{% else %}no{% endif %}", {}, "no"),
        ("{% for i in customer.items %}{{ i }};{% endfor %}", {"items": ["a", "b"]}, "a;b;"),
        ("{{ customer.points | plus: 1 }}", {"points": 41}, "42"),
        ("{{ customer.size }}", {"size": "XL"}, "XL"),
        ("{% assign x = customer.name %}{{ x }}", {"name": "Ada"}, "Ada"),
        ("{% raw %}{{ customer.name }}{% endraw %}", {"name": "Ada"}, "{{ customer.name }}"),
        ("5 < 6 & {{ customer.name }}", {"name": "<b>Ada</b>"}, "5 < 6 & <b>Ada</b>"),
    ],
)
def test_a_text_is_rendered_for_one_customer(text: str, traits: dict[str, Any], said: str) -> None:
    assert rendered(text, traits) == said


@pytest.mark.parametrize("name", ["first", "last", "size"])
@pytest.mark.parametrize("where", ["", ".address", ".address.nested", ".list[0]"])
def test_an_object_has_its_own_traits_and_no_others(name: str, where: str) -> None:
    text = f"[{{{{ customer{where}.{name} }}}}]"

    def around(inner: dict[str, Any]) -> dict[str, Any]:
        nested = {"email": "ada@example.com", **inner}
        return {**nested, "address": {**nested, "nested": nested}, "list": [nested]}

    assert rendered(text, around({})) == "[]"
    assert rendered(text, around({name: "own"})) == "[own]"
    assert rendered(f"{{{{ customer{where}.{name} | default: 'there' }}}}", around({})) == "there"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ customer.list.first }} {{ customer.list.last }} {{ customer.list.size }}", "a b 2"),
        ("{{ customer.list | first }} {{ customer.list | last }}", "a b"),
        ("[{{ customer.none.first }}{{ customer.none | first }}]", "[]"),
        ("{{ customer.name.size }}", "3"),
        ("[{{ customer.name.first }}]", "[]"),
        ("[{{ customer.address | first }}{{ customer.address | last }}]", "[]"),
        ("{{ customer[2026] }}", "a year"),
        ("{% for pair in customer.address %}{{ pair[0] }}={{ pair[1] }}{% endfor %}", "city=Bath"),
    ],
)
def test_lists_and_texts_keep_what_liquid_says_of_them(text: str, said: str) -> None:
    traits = {
        "list": ["a", "b"],
        "none": [],
        "name": "Ada",
        "address": {"city": "Bath"},
        "2026": "a year",
    }
    assert rendered(text, traits) == said


@pytest.mark.parametrize(
    "text",
    [
        "{{ customer }}",
        "{{ customer | first }}",
        "{{ customer | json }}",
        "{% for trait in customer %}{{ trait }}{% endfor %}",
        "{% assign all = customer %}{{ all }}",
    ],
)
def test_all_traits_at_once_are_nobodys_text(text: str) -> None:
    assert "name a trait" in refused(text)
    # A campaign that was saved before says nothing of them either.
    found = Template(spec({"title": "Hello", "body": f"[{text}]"})).render(
        ANDROID, user_id="u", traits={"email": "ada@example.com"}
    )
    assert isinstance(found, Content)
    assert "ada@" not in str(found.body)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (10.0, "10"),
        (12.5, "12.5"),
        (1e16, "10000000000000000"),
        (123456789012345678, "123456789012345678"),
        (1e21, "1e+21"),
        (1e-5, "0.00001"),
        (1.5e-7, "1.5e-7"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (float("inf"), ""),
        (float("nan"), ""),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ([1.0, None, True, "é"], '[1,null,true,"é"]'),
        ({"a": {"b": 2.0}, "c": [{}]}, '{"a":{"b":2},"c":[{}]}'),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_a_value_is_printed_as_json_prints_it_wherever_it_is_printed(value: Any, said: str) -> None:
    traits = {"x": value, "list": [value], "object": {"x": value}}
    for text in (
        "{{ customer.x }}",
        "{% echo customer.x %}",
        "{% liquid echo customer.x %}",
        "{% cycle customer.x, 'other' %}",
        "{% capture a %}{{ customer.x }}{% endcapture %}{{ a }}",
        "{% assign a = customer.x %}{{ a }}",
        "{{ customer.x | append: '' }}",
        "{{ '' | append: customer.x }}",
        "{{ '' | prepend: customer.x }}",
        "{{ 'x' | replace: 'x', customer.x }}",
        "{{ 'x' | replace_first: 'x', customer.x }}",
        "{{ customer.x | strip }}",
        "{{ customer.object.x }}",
        "{% for member in customer.list %}{{ member }}{% endfor %}",
    ):
        assert rendered(text, traits) == said, text
    if not isinstance(value, list):
        assert rendered("{{ customer.list | join: ', ' }}", traits) == said
    assert rendered("{{ customer.list }}", traits) == f"[{said or 'null'}]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ customer.points | plus: 1 }}", "11"),
        ("{{ customer.points | times: 1.5 }}", "15"),
        ("{{ customer.points | divided_by: 4 }}", "2.5"),
        ("{{ customer.price | round: 2 }}", "12.35"),
        ("{{ customer.prices | sum }}", "0.3"),
        ("{{ customer.prices | join: ' ' }}", "0.1 0.2"),
        ("{{ customer.points | append: ' points' }}", "10 points"),
        ("{% if 'only 10 left' contains customer.points %}yes{% endif %}", "yes"),
        ("{% if 'it is true' contains customer.vip %}yes{% endif %}", "yes"),
        ("{% if customer.prices contains 0.1 %}yes{% endif %}", "yes"),
        ("{{ 'abcdefghijkl' | truncate: customer.points, '' }}", "abcdefghij"),
        ("{{ 'abcdefghijkl' | slice: 0, customer.points }}", "abcdefghij"),
        ("{{ customer.name | json }}", '"Ada"'),
        ("{{ customer.mixed | uniq | json }}", '[1,"1",true,null,{"a":1}]'),
        ("{{ customer.orders | uniq: 'id' | map: 'id' | join: '-' }}", "1-2"),
    ],
)
def test_filters_see_and_make_what_json_knows(text: str, said: str) -> None:
    traits = {
        "points": 10.0,
        "price": 12.345678,
        "prices": [0.1, 0.2],
        "vip": True,
        "name": "Ada",
        "mixed": [1, 1.0, "1", True, None, None, {"a": 1}, {"a": 1.0}],
        "orders": [{"id": 1}, {"id": 1.0}, {"id": 2}],
    }
    assert rendered(text, traits) == said


MARCH = "2026-03-01"


@pytest.mark.parametrize(
    "value",
    [
        MARCH,
        "2026-03-01T10:00:00Z",
        "2026-03-01T10:00:00.123456+02:00",
        "2026-03-01 10:00",
        "20260301",
        " 2026-03-01 ",
        "Sun, 01 Mar 2026 10:00:00 GMT",
        "Sun Mar 01 2026 10:00:00 GMT+0100 (Central European Standard Time)",
        "March 1, 2026",
        1772359200,
        1772359200.5,
        1772359200000,
        1772359200000.0,
        1772359200000000,
        "1772359200",
        "1772359200000",
        "1772359200.25",
    ],
)
def test_a_date_is_read_in_whatever_form_apps_send_it(value: Any) -> None:
    assert rendered("{{ customer.day | date: '%Y-%m-%d' }}", {"day": value}) == MARCH


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "2026-02-30",
        "2026-13-01T00:00:00Z",
        "Sunday",
        "10:30",
        "7",
        True,
        [1772359200],
        {"seconds": 1772359200},
        10**30,
        1e300,
        float("nan"),
        "9" * 400,
        "1" * 5_000,
        "now or never",
    ],
)
def test_what_is_no_date_is_nothing_and_loses_no_push(value: Any) -> None:
    assert rendered("[{{ customer.day | date: '%d %b' }}]", {"day": value}) == "[]"
    text = "{{ customer.day | date: '%d %b' | default: 'soon' }}"
    assert rendered(text, {"day": value}) == "soon"
    assert rendered(text) == "soon"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("%d %b %Y", "01 Mar 2026"),
        ("%-d.%-m.", "1.3."),
        ("%e %B, %H:%M", " 1 March, 10:05"),
        ("%s", "1772352300"),
        ("%%s", "%s"),
        ("%L %3N", "123 123"),
        ("%z %:z", "+0200 +02:00"),
        ("le %d à %Hh", "le 01 à 10h"),
        ("%1000000000d", ""),
        ("%d" * 200, ""),
    ],
)
def test_a_date_is_written_in_the_form_asked_for(form: str, said: str) -> None:
    traits = {"day": "2026-03-01T10:05:00.123456+02:00", "form": form}
    assert rendered("{{ customer.day | date: customer.form }}", traits) == said


def test_now_is_the_instant_of_the_rendering() -> None:
    template = Template(spec({"title": "{{ 'now' | date: '%d.%m.%Y' | default: 'some day' }}"}))
    for now, said in ((datetime(2026, 3, 1, tzinfo=UTC), "01.03.2026"), (None, "some day")):
        found = template.render(ANDROID, user_id=None, traits={}, now=now)
        assert isinstance(found, Content)
        assert found.title == said


def test_the_user_id_is_there_and_a_trait_can_not_take_its_place() -> None:
    assert rendered("{{ customer.user_id }}", {"user_id": "other"}, user_id="u-1") == "u-1"
    assert rendered("{{ customer.user_id }}", {"user_id": "other"}) == ""


def test_every_text_is_rendered_and_the_rest_stays_as_it_is() -> None:
    wire = spec(
        {
            "title": "Hi {{ customer.name }}",
            "body": "News",
            "image": "https://example.com/{{ customer.name }}.png",
            "link": "myapp://{{ customer.name }}",
            "data": {"name": "{{ customer.name }}", "plain": "x"},
            "ttl_seconds": 5,
            "priority": "normal",
            "collapse_key": "{{ not a text }}",
        }
    )
    found = Template(wire).render(ANDROID, user_id=None, traits={"name": "Ada"})
    assert isinstance(found, Content)
    assert (found.title, found.body) == ("Hi Ada", "News")
    assert (found.image, found.link) == ("https://example.com/Ada.png", "myapp://Ada")
    assert found.data == {"name": "Ada", "plain": "x"}
    assert (found.ttl_seconds, found.priority, found.collapse_key) == (
        5,
        wire.base.priority,
        "{{ not a text }}",
    )


def test_each_platform_is_rendered_with_its_own_words() -> None:
    wire = spec({"title": "A {{ customer.x }}", "platforms": {"iOS": {"title": "B"}}})
    template = Template(wire)
    android = template.render(ANDROID, user_id=None, traits={"x": 1})
    ios = template.render(IOS, user_id=None, traits={"x": 1})
    assert isinstance(android, Content) and isinstance(ios, Content)
    assert (android.title, ios.title) == ("A 1", "B")
    assert ios is template.render(IOS, user_id=None, traits={"x": 2})


def test_a_text_without_tags_is_never_given_to_liquid() -> None:
    wire = spec({"title": "50 % off { today } }} %}", "data": {"json": '{"a": {"b": 1}}'}})
    assert faults_of(wire) == []
    template = Template(wire)
    assert not template.is_for_each
    assert template.render(ANDROID, user_id=None, traits={}) is wire.for_platform(ANDROID)


# --- what can not be saved ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ customer.name", "Liquid"),
        ("{% if customer.vip %}yes", "Liquid"),
        ("{% nonsense %}", "nonsense"),
        ("{{ customer.name | shout }}", "there is no filter shout"),
        ("{% if customer.vip %}{{ customer.name | shout }}{% endif %}", "shout"),
        ("{% include 'secrets' %}", "include"),
        ("{% render 'secrets' %}", "render"),
        ("{{ user.name }}", "customer.user"),
        ("{{ name }}", "customer.name"),
        ("{% if customer.vip %}{{ first_name }}{% endif %}", "customer.first_name"),
    ],
)
def test_what_liquid_can_not_do_is_refused_when_saved(text: str, said: str) -> None:
    assert said in refused(text)


def test_names_made_in_the_template_are_known() -> None:
    looped = "{% for one in customer.list %}{{ forloop.index }} {{ one.x }};{% endfor %}"
    assert rendered(looped, {"list": [{"x": "a"}, {"x": "b"}]}) == "1 a;2 b;"
    assert rendered("{% assign a = 1 %}{% capture b %}{{ a }}{% endcapture %}{{ b }}") == "1"


def test_a_fault_names_the_field_in_which_the_text_was_written() -> None:
    wire = spec(
        {
            "title": "{{ a",
            "body": "fine",
            "data": {"k": "{{ b"},
            "platforms": {
                "iOS": {"body": "{{ c", "data": {"own": "{{ d"}},
                "Web": {"title": "fine"},
            },
        }
    )
    assert {one.field for one in faults_of(wire)} == {
        "content.title",
        "content.data.k",
        "content.platforms.iOS.body",
        "content.platforms.iOS.data.own",
    }


# --- bounds ---------------------------------------------------------------------------------


DOOMED = {
    "a long loop": f"{{% for i in (1..{LOOPS_MAX + 1}) %}}x{{% endfor %}}",
    "loops in loops": "{% for i in (1..100) %}{% for j in (1..100) %}x{% endfor %}{% endfor %}",
    "a range in a filter": "{{ (1..1000000000) | join: 'x' }}",
    "doubling": "{% assign a = 'xxxxxxxx' %}" + "{% assign a = a | append: a %}" * 100,
    "replacing": "{{ 'a'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaa'" * 60 + " }}",
    "capturing": "{% for i in (1..1000) %}{% capture a %}{{ a }}xxxxxxxx{{ a }}{% endcapture %}"
    "{% endfor %}{{ a }}",
    "much output": "{% for i in (1..1000) %}" + "x" * 20 + "{% endfor %}",
    "a great number": "{% assign a = 9999999999999999 %}"
    + "{% assign a = a | times: a %}" * 30
    + "{{ a }}",
    "a range that is turned round": "{% for i in (1..1000000000) reversed %}{% endfor %}",
    "a range that is skipped": "{% for i in (1..1000000000) offset: 999999999 %}{% endfor %}",
    "a range that is searched": "{% if (1..1000000000) contains 1.5 %}{% endif %}",
    "many loops in a row": "{% for i in (1..1000) %}{% assign a = i | plus: 1 %}{% endfor %}" * 50,
    "a loop only some go through": "{% if customer.vip %}{% for i in (1..1000) %}"
    + "{{ i | plus: 1 | minus: 1 }}" * 30
    + "{% endfor %}{% endif %}",
    "a row of cells": "{% tablerow i in (1..1000) %}" + "x" * 20 + "{% endtablerow %}",
}
"""Nobody could be sent these."""

COSTLY = {
    "a range made longer": "{% assign a = (1..16000) %}{{ a | concat: a | concat: a | size }}",
    "an endless range": "{% for i in (1..customer.big) %}{% endfor %}",
    "a trait that is a book": "{{ customer.book }}",
    "a trait that is a book in a filter": "{{ customer.book | upcase }}",
    "a trait that is a long list": "{{ customer.list }}",
    "a list with a long separator": "{{ customer.list | join: customer.page }}",
    "a text that grows": "{{ customer.page | replace: 'x', customer.page }}",
    "a text without letters that grows": "{{ customer.page | replace: '', customer.page }}",
    "the same work again and again": "{% for i in (1..1000) %}"
    "{% assign a = customer.list | sort | uniq | size %}{% endfor %}",
    "words that are dates": "{% for i in (1..1000) %}{{ customer.day | date: '%d' }}{% endfor %}",
    "a wide date": "{{ customer.day | date: customer.page }}{{ customer.book }}",
    "captured pages": "{% for i in (1..1000) %}{% capture a %}{{ customer.page }}{% endcapture %}"
    "{% endfor %}",
    "two great objects that are compared": "{% for i in (1..1000) %}"
    "{% if customer.list == customer.copy %}{% endif %}{% endfor %}",
    "a loop in a loop over traits": "{% for a in customer.hundred %}{% for b in customer.hundred %}"
    "x{% endfor %}{% endfor %}",
}
"""Some customers could be sent these, and some not."""


@pytest.mark.parametrize("text", DOOMED.values(), ids=DOOMED.keys())
def test_what_is_too_expensive_for_anybody_is_refused_when_saved(text: str) -> None:
    assert "is too expensive" in refused(text)


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY.keys())
def test_what_would_run_away_for_this_customer_is_stopped(text: str) -> None:
    traits = {
        "big": 10**12,
        "book": "x" * (VALUE_SIZE_MAX + 1),
        "page": "x" * VALUE_SIZE_MAX,
        "list": [{"number": str(i)} for i in range(4_000)],
        "copy": [{"number": str(i)} for i in range(4_000)],
        "hundred": list(range(100)),
        "day": "Sun, 01 Mar 2026 10:00:00 GMT",
    }
    assert fault(text, traits).message


def test_the_steps_of_a_rendering_are_those_of_what_it_works_on() -> None:
    """No clock decides: what is rendered here is rendered on a slower machine too."""
    one = "{% assign a = customer.page | upcase %}"
    template = Template(spec({"title": "Hello", "body": one}))
    twice = Template(spec({"title": "Hello", "body": one * 2}))
    for each in (template, twice):
        each.render(ANDROID, user_id=None, traits={"page": "x" * 1_000})
    steps, steps_of_two = template.steps - STEPS_A_RENDERING, twice.steps - STEPS_A_RENDERING
    assert steps_of_two == 2 * steps
    template.render(ANDROID, user_id=None, traits={"page": "x" * 16_000})
    assert template.steps - STEPS_A_RENDERING * 2 - steps > 10 * steps


def test_all_texts_of_a_push_share_its_steps() -> None:
    costly = "{% for i in (1..500) %}{% assign a = customer.page | upcase %}{% endfor %}"
    data = {f"key{i}": costly for i in range(40)}
    template = Template(spec({"title": "Hello", "data": data}))
    found = template.render(ANDROID, user_id=None, traits={"page": "x" * 64})
    assert isinstance(found, Fault)
    assert template.steps <= STEPS_A_RENDERING + STEPS_MAX


def test_a_dear_template_on_one_platform_is_refused_there() -> None:
    dear = DOOMED["many loops in a row"]
    (found,) = faults_of(spec({"title": "Hello", "platforms": {"Web": {"body": dear}}}))
    assert found.field == "content.platforms.Web.body"


@pytest.mark.parametrize(
    "text",
    [
        "{% if customer.a %}" * 400 + "x" + "{% endif %}" * 400,
        "{{ " + "customer[" * 1_000 + "customer.a" + "]" * 1_000 + " }}",
        "{% if " + "customer.a or " * 900 + "customer.a %}x{% endif %}",
    ],
    ids=["blocks", "paths", "conditions"],
)
def test_a_text_that_is_nested_too_deep_is_refused(text: str) -> None:
    (found,) = faults_of(spec({"title": "Hello", "data": {"deep": text}}))
    assert found.field == "content.data.deep"


def test_texts_with_liquid_have_a_length_together() -> None:
    half = "{{ customer.a }}" + "x" * (TEMPLATE_CHARACTERS_MAX // 2)
    wire = {"title": "Hello", "data": {"a": half, "b": half}}
    (found,) = faults_of(spec(wire))
    assert (found.field, str(TEMPLATE_CHARACTERS_MAX) in found.message) == ("content.data.a", True)
    plain = {"title": "Hello", "data": {"a": half, "b": "x" * TEMPLATE_CHARACTERS_MAX}}
    assert faults_of(spec(plain)) == []


def test_the_bounds_themselves_are_allowed() -> None:
    assert rendered(f"{{% for i in (1..{LOOPS_MAX}) %}}x{{% endfor %}}") == "x" * LOOPS_MAX
    whole = "x" * (OUTPUT_BYTES_MAX - 1)
    assert rendered("{{ customer.a }}", {"a": whole}) == whole


# --- traits come from outside ---------------------------------------------------------------


def test_a_trait_that_looks_like_liquid_is_a_text_like_any_other() -> None:
    evil = "{{ customer.secret }}{% for i in (1..99999) %}{% endfor %}"
    assert rendered("Hi {{ customer.name }}", {"name": evil, "secret": "s"}) == f"Hi {evil}"
    assert rendered("{% assign x = customer.name %}{{ x | append: '' }}", {"name": evil}) == evil


@pytest.mark.parametrize(
    "path",
    [
        "__class__",
        "__class__.__mro__",
        "name.__class__",
        "name.upper",
        "keys",
        "items",
        "name[0].x",
    ],
)
def test_nothing_of_python_can_be_reached_through_a_trait(path: str) -> None:
    assert rendered(f"[{{{{ customer.{path} }}}}]", {"name": "Ada"}) == "[]"


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("javascript:alert(1)", "javascript"),
        ("JAVASCRIPT:alert(1)", "javascript"),
        ("data:text/html,<script>", "data"),
        ("/offers", "scheme"),
        ("http://[::1", "scheme"),
    ],
)
def test_a_trait_can_not_make_a_link_that_could_not_be_saved(link: str, said: str) -> None:
    template = Template(spec({"title": "Hello", "link": "{{ customer.link }}"}))
    found = template.render(ANDROID, user_id=None, traits={"link": link})
    assert isinstance(found, Fault)
    assert (found.field, said in found.message) == ("content.link", True)


def test_a_picture_that_this_customer_has_not_is_left_out() -> None:
    template = Template(
        spec({"title": "Hello", "image": "{{ customer.photo }}", "link": "{{ customer.link }}"})
    )
    found = template.render(ANDROID, user_id=None, traits={})
    assert isinstance(found, Content)
    assert (found.image, found.link) == (None, None)
    wrong = template.render(ANDROID, user_id=None, traits={"photo": "nope"})
    assert isinstance(wrong, Fault) and wrong.field == "content.image"


def test_a_push_that_would_say_nothing_is_not_rendered() -> None:
    template = Template(spec({"title": "{{ customer.a }}", "body": " {{ customer.b }} "}))
    assert isinstance(template.render(ANDROID, user_id=None, traits={}), Fault)
    assert isinstance(template.render(ANDROID, user_id=None, traits={"b": "x"}), Content)
    silent = Template(spec({"data": {"sync": "{{ customer.a }}"}}))
    assert isinstance(silent.render(ANDROID, user_id=None, traits={}), Content)


FILTERS = (
    "abs", "append: customer.y", "at_least: 1", "at_most: customer.y", "base64_decode",
    "base64_encode", "capitalize", "ceil", "compact", "concat: customer.y", "date: '%Y'",
    "date: customer.y", "default: customer.y", "divided_by: 0", "divided_by: customer.y",
    "downcase", "escape", "first", "floor", "join", "join: customer.y", "json", "last",
    "map: 'a'", "minus: 1", "modulo: customer.y", "plus: customer.y", "remove: customer.y",
    "replace: customer.y, 'b'", "reverse", "round", "round: customer.y", "size",
    "slice: 0, customer.y", "slice: customer.y", "sort", "sort: 'a'", "sort_natural",
    "split: customer.y", "strip_html", "sum", "times: 3", "replace: 'a', customer.y",
    "times: customer.y", "truncate: customer.y", "truncatewords: customer.y", "uniq", "uniq: 'a'",
    "upcase", "url_decode", "url_encode", "where: 'a', customer.y",
)  # fmt: skip

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**30), 10**9, -(10**9), 1e308, float("inf"), float("nan")])
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["", "1", "1e999", "-", "%", "now", "2026-02-30", "9" * 5_000, "{{", "\x00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "size", "first"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(st.sampled_from(FILTERS), min_size=1, max_size=3), json_values, json_values)
def test_no_trait_breaks_any_filter(filters: list[str], x: Any, y: Any) -> None:
    text = (
        "{{ customer.x | " + " | ".join(filters) + " }}{% for i in customer.y %}{{ i }}{% endfor %}"
    )
    wire = spec({"title": "Hello", "body": text})
    assert faults_of(wire) == []
    found = Template(wire).render(ANDROID, user_id=None, traits={"x": x, "y": y})
    if isinstance(found, Content):
        assert isinstance(found.body, str)
    else:
        assert found.message and "\n" not in found.message


short_values = json_values.filter(lambda value: len(json.dumps(value)) < 10_000)
"""What is printed may not be longer than 16,384 bytes."""


@given(short_values)
def test_any_trait_is_printed_as_json_reads_it(value: Any) -> None:
    text = rendered("{{ customer.x | json }}", {"x": value})
    assert text is not None
    assert _alike(json.loads(text), value)


def _alike(read: Any, value: Any) -> bool:
    """Whether JSON's reader finds what was written; what is no number is null."""
    match value:
        case float() if value != value or value in (float("inf"), float("-inf")):
            return read is None
        case dict():
            return read.keys() == value.keys() and all(_alike(read[k], value[k]) for k in value)
        case list():
            return len(read) == len(value) and all(map(_alike, read, value))
        case _:
            return bool(read == value) and isinstance(read, bool) == isinstance(value, bool)


@given(st.dictionaries(st.sampled_from(["first", "last", "size", "a"]), short_values), json_values)
def test_no_path_reads_what_was_not_named(traits: dict[str, Any], secret: Any) -> None:
    traits = {"secret": secret} | traits
    for name in ("first", "last", "size", "a"):
        text = rendered(f"{{{{ customer.{name} | json }}}}", traits)
        assert text is not None
        assert _alike(json.loads(text), traits.get(name))


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)), st.sampled_from(range(7)))
def test_any_instant_is_read_in_any_form(instant: datetime, form: int) -> None:
    instant = instant.replace(tzinfo=UTC, microsecond=0)
    seconds = int(instant.timestamp())
    value = (
        seconds,
        seconds * 1000,
        float(seconds),
        str(seconds),
        str(seconds * 1000),
        instant.isoformat(),
        instant.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    )[form]
    assert rendered("{{ customer.at | date: '%s' }}", {"at": value}) == str(seconds)


@given(st.text(st.sampled_from("{}%| .:'\"abcustomerifd012-\n"), max_size=40))
def test_no_text_breaks_the_check_and_what_passes_it_renders(text: str) -> None:
    found = parse_content({"title": "Hello", "body": text})
    if isinstance(found, ContentSpec) and not faults_of(found):
        result = Template(found).render(ANDROID, user_id="u", traits={"a": "b"})
        assert isinstance(result, Content | Fault)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{ customer.mixed | sum }}", "sum"),
        ("{{ customer.count | where: 'a' }}", "where"),
        ("{{ customer.mixed | sort: 'a' }}", "sort"),
        ("{{ customer.yes | plus: customer.vast }}", "plus"),
        ("{{ customer.name | base64_decode }}", "base64_decode"),
        ("{{ customer.objects | compact: 0 }}", "compact"),
    ],
)
def test_a_value_that_a_filter_can_not_work_on_is_told_without_words_of_python(
    text: str, name: str
) -> None:
    traits = {
        "mixed": ["a", 1],
        "count": 3,
        "yes": True,
        "vast": 1e300,
        "name": "true",
        "objects": [{"a": 1}],
    }
    assert fault(text, traits).message == f"{name}: can not work on what it is given"


def test_buttons_are_rendered_and_one_without_a_title_is_left_out() -> None:
    content = spec(
        {
            "title": "Hello",
            "buttons": [
                {"title": "{{ customer.plan }}", "link": "shop://{{ customer.plan }}"},
                {"title": "Later", "link": "{{ customer.link }}"},
            ],
        }
    )
    assert faults_of(content) == []
    pro = Template(content).render(ANDROID, user_id=None, traits={"plan": "pro"})
    assert isinstance(pro, Content)
    assert [(button.title, button.link) for button in pro.buttons] == [
        ("pro", "shop://pro"),
        ("Later", None),
    ]
    nobody = Template(content).render(ANDROID, user_id=None, traits={})
    assert isinstance(nobody, Content) and [button.title for button in nobody.buttons] == ["Later"]


def test_what_a_button_can_not_do_is_told_by_its_place() -> None:
    wire = {"title": "x", "platforms": {"Web": {"buttons": [{"title": "{{ user.name }}"}]}}}
    assert [one.field for one in faults_of(spec(wire))] == [
        "content.platforms.Web.buttons[0].title"
    ]


def many_languages(body: str) -> ContentSpec:
    """Fifty of them, each with a body of its own."""
    tags = [f"{first}{second}" for first in "abcde" for second in "abcdefghij"]
    return spec({"title": "x", "languages": {tag: {"body": tag + body} for tag in tags}})


def test_what_all_languages_together_cost_to_check_is_bounded() -> None:
    assert faults_of(many_languages("{{ customer.name | default: 'you' }}")) == []
    loop = "{% for part in (1..900) %}{{ customer.name | upcase }}{% endfor %}"
    (steps,) = faults_of(many_languages(loop))
    assert steps.field == "content.languages" and "steps" in steps.message
    (characters,) = faults_of(many_languages("{{ customer.name | upcase }}" * 100))
    assert characters.field == "content.languages" and "characters" in characters.message
