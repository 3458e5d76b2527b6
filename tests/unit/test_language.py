"""Which language somebody reads, and which variant of a content that is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.content.language import fallbacks, language_of, language_tag, variant_for
from clarion.campaigns.content.spec import ContentSpec, dump_content, parse_content
from clarion.campaigns.content.templates.template import Template, faults_of
from clarion.customers.devices.device import Platform


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("de", "de"),
        ("DE_at", "de-AT"),
        ("de_AT.UTF-8@euro", "de-AT"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("iw-IL", "he-IL"),
        (" fr ", "fr"),
        ("German", None),
        ("d", None),
        ("", None),
        ("C", None),
        ("de-", None),
        ("de AT", None),
        ("12", None),
        ("de-" + "x" * 40, None),
    ],
)
def test_a_tag_is_read_as_it_is_usually_written(text: str, tag: str | None) -> None:
    assert language_tag(text) == tag


@given(st.text(max_size=40))
def test_whatever_is_sent_is_a_tag_that_is_read_as_itself_or_none(text: str) -> None:
    tag = language_tag(text)
    assert tag is None or language_tag(tag) == tag


@pytest.mark.parametrize(
    ("traits", "locale", "tag"),
    [
        ({"language": "de"}, "en-GB", "de"),
        ({"language": "German", "locale": "fr_FR"}, "en-GB", "fr-FR"),
        ({"language": None}, "en-GB", "en-GB"),
        ({"language": 5, "locale": ["de"]}, "it", "it"),
        ({}, None, None),
        ({}, 7, None),
    ],
)
def test_what_a_person_chose_comes_before_what_a_phone_is_set_to(
    traits: dict[str, Any], locale: Any, tag: str | None
) -> None:
    assert language_of(traits, locale) == tag


def test_a_variant_is_found_by_leaving_out_what_comes_last() -> None:
    assert fallbacks("zh-Hant-TW") == ["zh-Hant-TW", "zh-Hant", "zh"]
    assert fallbacks("de-x-sie") == ["de-x-sie", "de"]
    assert variant_for("de-AT", {"de", "de-CH"}) == "de"
    assert variant_for("de-AT", {"de", "de-AT"}) == "de-AT"
    assert variant_for("fr", {"de"}) is None
    assert variant_for(None, {"de"}) is None


WIRE = {
    "title": "Hello",
    "body": "Two days early",
    "link": "https://shop.example/",
    "data": {"a": "1"},
    "platforms": {"Web": {"title": "Hello, web", "link": "https://shop.example/web"}},
    "languages": {
        "de": {
            "title": "Hallo",
            "body": "Zwei Tage früher",
            "data": {"b": "2"},
            "platforms": {"Web": {"title": "Hallo, Web"}},
        },
        "de_at": {"title": "Servus"},
    },
}


def spec(wire: Any) -> ContentSpec:
    content = parse_content(wire)
    assert isinstance(content, ContentSpec), content
    return content


def test_a_language_is_laid_over_its_platform_and_a_region_over_its_language() -> None:
    content = spec(WIRE)

    def seen(platform: Platform, variant: str | None) -> tuple[str | None, str | None, str | None]:
        shown = content.for_platform(platform, variant)
        return shown.title, shown.body, shown.link

    web, ios = Platform.WEB, Platform.IOS
    assert seen(ios, None) == ("Hello", "Two days early", "https://shop.example/")
    assert seen(ios, "de") == ("Hallo", "Zwei Tage früher", "https://shop.example/")
    assert seen(web, "de") == ("Hallo, Web", "Zwei Tage früher", "https://shop.example/web")
    assert seen(web, "de-AT") == ("Servus", "Zwei Tage früher", "https://shop.example/web")
    assert content.for_platform(ios, "de-AT").data == {"a": "1", "b": "2"}


def test_languages_are_kept_as_they_were_meant() -> None:
    content = spec(WIRE)
    assert list(dump_content(content)["languages"]) == ["de", "de-AT"]
    assert spec(dump_content(content)) == content


@pytest.mark.parametrize(
    ("languages", "field"),
    [
        (["de"], ""),
        ({f"{chr(97 + number // 26)}{chr(97 + number % 26)}": {} for number in range(60)}, ""),
        ({"German": {}}, ".German"),
        ({"de-at": {}, "de_AT": {}}, ".de_AT"),
        ({"de": "Hallo"}, ".de"),
        ({"de": {"titel": "Hallo"}}, ".de.titel"),
        ({"de": {"fcm": {"android": {}}}}, ".de.fcm"),
        ({"de": {"platforms": {"OS/2": {}}}}, ".de.platforms.OS/2"),
        ({"de": {"platforms": {"iOS": {"image": "a.png"}}}}, ".de.platforms.iOS.image"),
        ({"de": {"languages": {}}}, ".de.languages"),
    ],
)
def test_a_language_that_can_not_work_is_refused_by_its_place(languages: Any, field: str) -> None:
    faults = parse_content({"title": "Hello", "languages": languages})
    assert isinstance(faults, list)
    assert [fault.field for fault in faults] == [f"content.languages{field}"]


def test_what_liquid_can_not_do_is_told_where_it_was_written() -> None:
    content = spec(
        WIRE | {"languages": {"de": {"title": "{{ user.name }}", "data": {"b": "{% x"}}}}
    )
    assert {fault.field for fault in faults_of(content)} == {
        "content.languages.de.title",
        "content.languages.de.data.b",
    }


def test_words_in_a_language_alone_are_something_to_say() -> None:
    assert spec({"languages": {"de": {"title": "Hallo"}}}).shows_on(Platform.IOS)


def test_a_template_renders_the_variant_and_starts_from_one_object_for_each() -> None:
    template = Template(spec(WIRE))
    variant = template.variant_for({"language": "de-CH"}, "en-GB")
    assert variant == "de"
    first = template.render(Platform.IOS, user_id=None, traits={}, variant=variant)
    assert first is template.render(Platform.IOS, user_id="b", traits={}, variant=variant)
    assert first is template.unrendered(Platform.IOS, "de")
