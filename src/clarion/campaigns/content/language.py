"""Which language a customer reads, and which variant of a content that is. Pure.

The first of these that is a language tag (BCP 47, such as `de-AT`; `de_AT.UTF-8` is read as one)
decides: the trait `language`, the trait `locale`, the device's own locale. What a person has chosen
comes before what a phone is set to. Any other text, such as `German`, says nothing.

A variant is looked up as RFC 4647 ("lookup") does: `de-AT`, then `de`, then the default texts.
"""

import re
from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Any

TAG_CHARACTERS_MAX = 35
"""As RFC 5646 (4.4.1) advises for a tag."""
TRAITS = ("language", "locale")
DEFAULT = "default"
"""What a report calls the texts of a content with languages in no other: it is not a tag."""
LOCALE_FACT = "locale"
"""Of a device."""
_TAGS_KEPT = 4_096

_SUBTAG = re.compile(r"[A-Za-z0-9]{1,8}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")
_FORMER = {"iw": "he", "in": "id", "ji": "yi"}
"""What Java, and so older Android, calls them."""


@lru_cache(maxsize=_TAGS_KEPT)
def language_tag(text: str) -> str | None:
    """A language tag as it is usually written: `de-AT` for `DE_at`. None: the text is none."""
    parts = re.split("[.@]", text.strip(), maxsplit=1)[0].replace("_", "-").split("-")
    if len(text) > TAG_CHARACTERS_MAX or not _LANGUAGE.fullmatch(parts[0]):
        return None
    if not all(map(_SUBTAG.fullmatch, parts[1:])):
        return None
    language = parts[0].lower()
    return "-".join([_FORMER.get(language, language), *map(_subtag, parts[1:])])


def language_of(traits: Mapping[str, Any], locale: Any = None) -> str | None:
    """The language tag of a customer on a device with that locale. None: nobody has said one."""
    for value in (*map(traits.get, TRAITS), locale):
        if isinstance(value, str) and (tag := language_tag(value)) is not None:
            return tag
    return None


def fallbacks(tag: str) -> list[str]:
    """The tag, then what stands in for it: `zh-Hant-TW`, `zh-Hant`, `zh`."""
    parts = tag.split("-")
    chain = []
    while parts:
        chain.append("-".join(parts))
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()  # a letter alone only announces what follows it
    return chain


def variant_for(tag: str | None, variants: Container[str]) -> str | None:
    """The variant that who reads this language sees. None: the default."""
    if tag is None:
        return None
    return next((candidate for candidate in fallbacks(tag) if candidate in variants), None)


def _subtag(text: str) -> str:
    match len(text):
        case 2:
            return text.upper()
        case 4:
            return text.capitalize()
        case _:
            return text.lower()
