"""The traits that a content names: `Hi {{ customer.first_name }}` names first_name. Pure.

A name with a slip in it renders as nothing, for everybody, and Liquid can not know: only who has
the customers before them can say that nobody has such a trait.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from liquid import Environment, Mode
from liquid.exceptions import LiquidError

from clarion.campaigns.content.fields import is_dynamic
from clarion.campaigns.content.spec import ContentSpec, dump_content

ROOT = "customer"
NOT_TRAITS = frozenset({"user_id"})
"""Of a customer, but no trait: there for whoever has signed in."""
_TEXTS = ("title", "body", "image", "link")
_environment = Environment(tolerance=Mode.STRICT)


def traits_named(spec: ContentSpec) -> dict[str, str]:
    """Each trait that the content names, with the field in which it comes first."""
    fields_by_trait: dict[str, str] = {}
    for field, text in _texts(dump_content(spec)):
        for trait in sorted(_traits_in(text)):
            fields_by_trait.setdefault(trait, field)
    return fields_by_trait


def _texts(wire: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    wholes = {"content": wire} | {
        f"content.languages.{tag}": variant for tag, variant in wire.get("languages", {}).items()
    }
    places = wholes | {
        f"{path}.platforms.{name}": override
        for path, whole in wholes.items()
        for name, override in whole.get("platforms", {}).items()
    }
    for path, content in places.items():
        for name in _TEXTS:
            yield f"{path}.{name}", content.get(name) or ""
        for name, text in (content.get("data") or {}).items():
            yield f"{path}.data.{name}", text
        for index, button in enumerate(content.get("buttons") or ()):
            for name, text in button.items():
                yield f"{path}.buttons[{index}].{name}", text


def _traits_in(text: str) -> set[str]:
    if not is_dynamic(text):
        return set()
    try:
        paths = _environment.from_string(text).global_variable_segments()
    except LiquidError:
        return set()  # which was told when the content was checked
    # A name that is itself looked up, as in `customer[key]`, is a list here: which trait it means,
    # only the rendering knows.
    named = {
        name
        for root, name, *_ in (path for path in map(list, paths) if len(path) > 1)
        if root == ROOT and isinstance(name, str)
    }
    return named - NOT_TRAITS
