"""Liquid over a customer: what it renders, what it refuses, and that nothing runs away."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.content import Content, ContentFault, ContentSpec, parse_content
from clarion.campaigns.template import (
    LOOPS_MAX,
    OUTPUT_BYTES_MAX,
    VALUE_SIZE_MAX,
    Template,
    faults_of,
)
from clarion.customers.device import Platform

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


def fault(text: str, traits: dict[str, Any] | None = None) -> ContentFault:
    """Why a body can not be rendered for this customer."""
    wire = spec({"title": "Hello", "body": text})
    assert faults_of(wire) == []
    found = Template(wire).render(ANDROID, user_id=None, traits=traits or {})
    assert isinstance(found, ContentFault), found
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
    assert template.needs_customer(ANDROID) and not template.needs_customer(IOS)


def test_a_text_without_tags_is_never_given_to_liquid() -> None:
    wire = spec({"title": "50 % off { today } }} %}", "data": {"json": '{"a": {"b": 1}}'}})
    assert faults_of(wire) == []
    template = Template(wire)
    assert not template.needs_customer(ANDROID)
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


BOMBS = {
    "a long loop": f"{{% for i in (1..{LOOPS_MAX + 1}) %}}x{{% endfor %}}",
    "an endless range": "{% for i in (1..customer.big) %}{% endfor %}",
    "loops in loops": "{% for i in (1..100) %}{% for j in (1..100) %}x{% endfor %}{% endfor %}",
    "a range in a filter": "{{ (1..1000000000) | join: 'x' }}",
    "a range made longer": "{% assign a = (1..16000) %}{{ a | concat: a | concat: a | size }}",
    "doubling": "{% assign a = 'xxxxxxxx' %}" + "{% assign a = a | append: a %}" * 100,
    "replacing": "{{ 'a'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaa'" * 60 + " }}",
    "capturing": "{% for i in (1..1000) %}{% capture a %}{{ a }}xxxxxxxx{{ a }}{% endcapture %}"
    "{% endfor %}{{ a }}",
    "much output": "{% for i in (1..1000) %}" + "x" * 20 + "{% endfor %}",
    "a great number": "{% assign a = 9999999999999999 %}"
    + "{% assign a = a | times: a %}" * 30
    + "{{ a }}",
    "a trait that is a book": "{{ customer.book }}",
    "a trait that is a book in a filter": "{{ customer.book | upcase }}",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_what_would_run_away_is_stopped_soon(text: str) -> None:
    began = time.process_time()
    assert fault(text, {"big": 10**12, "book": "x" * (VALUE_SIZE_MAX + 1)}).message
    assert time.process_time() - began < 2


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
    assert isinstance(found, ContentFault)
    assert (found.field, said in found.message) == ("content.link", True)


def test_a_picture_that_this_customer_has_not_is_left_out() -> None:
    template = Template(
        spec({"title": "Hello", "image": "{{ customer.photo }}", "link": "{{ customer.link }}"})
    )
    found = template.render(ANDROID, user_id=None, traits={})
    assert isinstance(found, Content)
    assert (found.image, found.link) == (None, None)
    wrong = template.render(ANDROID, user_id=None, traits={"photo": "nope"})
    assert isinstance(wrong, ContentFault) and wrong.field == "content.image"


def test_a_push_that_would_say_nothing_is_not_rendered() -> None:
    template = Template(spec({"title": "{{ customer.a }}", "body": " {{ customer.b }} "}))
    assert isinstance(template.render(ANDROID, user_id=None, traits={}), ContentFault)
    assert isinstance(template.render(ANDROID, user_id=None, traits={"b": "x"}), Content)
    silent = Template(spec({"data": {"sync": "{{ customer.a }}"}}))
    assert isinstance(silent.render(ANDROID, user_id=None, traits={}), Content)


FILTERS = (
    "abs", "append: customer.y", "at_least: 1", "at_most: customer.y", "base64_decode",
    "base64_encode", "capitalize", "ceil", "compact", "concat: customer.y", "date: '%Y'",
    "date: customer.y", "default: customer.y", "divided_by: 0", "divided_by: customer.y",
    "downcase", "escape", "first", "floor", "join", "last", "map: 'a'", "minus: 1",
    "modulo: customer.y", "plus: customer.y", "remove: customer.y", "replace: customer.y, 'b'",
    "reverse", "round", "round: customer.y", "size", "slice: 0, customer.y", "slice: customer.y",
    "sort", "sort: 'a'", "sort_natural", "split: customer.y", "strip_html", "sum", "times: 3",
    "times: customer.y", "truncate: customer.y", "truncatewords: customer.y", "uniq", "upcase",
    "url_decode", "url_encode", "where: 'a', customer.y",
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


@given(st.text(st.sampled_from("{}%| .:'\"abcustomerifd012-\n"), max_size=40))
def test_no_text_breaks_the_check_and_what_passes_it_renders(text: str) -> None:
    found = parse_content({"title": "Hello", "body": text})
    if isinstance(found, ContentSpec) and not faults_of(found):
        result = Template(found).render(ANDROID, user_id="u", traits={"a": "b"})
        assert isinstance(result, Content | ContentFault)
