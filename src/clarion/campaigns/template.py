"""Liquid over a customer: `Hi {{ customer.first_name | default: "there" }}`.

Templates are parsed once a campaign and platform; a text without tags is never handed to Liquid.
A trait that is missing renders as nothing (`default` gives it a value); a filter, a tag or a name
besides `customer` that does not exist is refused when the campaign is saved.

Traits come from outside: whatever they are, a template renders a bounded text in bounded time or
says that it can not, and a trait that looks like Liquid is a text like any other.
"""

from collections.abc import Callable, Mapping, Sized
from dataclasses import replace
from functools import wraps
from typing import Any

from liquid import Environment, Mode
from liquid.exceptions import LiquidError, ResourceLimitError

from clarion.campaigns.content import (
    Content,
    ContentFault,
    ContentSpec,
    is_dynamic,
    wrong_image,
    wrong_link,
)
from clarion.customers.device import Platform

LOOPS_MAX = 1_000
OUTPUT_BYTES_MAX = 16_384
VALUE_SIZE_MAX = 16_384
"""Characters, members or bits of what goes into a filter and comes out of it."""

_NAMES = frozenset({"customer"})
_INCLUDING = ("include", "render")
_TEXTS = ("title", "body", "image", "link")
_CHECKS = {"image": wrong_image, "link": wrong_link}

Render = Callable[[Mapping[str, Any]], str]
Filter = Callable[..., Any]


class _Environment(Environment):
    """Nothing is included; loops, output and what filters work on are bounded."""

    loop_iteration_limit = LOOPS_MAX
    output_stream_limit = OUTPUT_BYTES_MAX
    context_depth_limit = 10

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for name in _INCLUDING:
            del self.tags[name]
        self.filters = {name: _bounded(one) for name, one in self.filters.items()}


def _bounded(one: Filter) -> Filter:
    """A filter that refuses to work on, or to make, what is too big: a handful of `replace` or
    `times` in a row, or a range, would take all memory and time."""

    @wraps(one)
    def bounded(value: Any, *args: Any, **options: Any) -> Any:
        _check_size(value)
        made = one(value, *args, **options)
        _check_size(made)
        return made

    return bounded


def _check_size(value: Any) -> None:
    if isinstance(value, int):
        size = value.bit_length()
    else:
        size = len(value) if isinstance(value, Sized) else 0
    if size > VALUE_SIZE_MAX:
        raise ResourceLimitError(f"a value is larger than {VALUE_SIZE_MAX}", token=None)


_environment = _Environment(tolerance=Mode.STRICT, strict_filters=True, autoescape=False)


class Template:
    """A campaign's content, ready to be rendered for any number of customers."""

    def __init__(self, spec: ContentSpec) -> None:
        """`spec` has passed `faults_of`."""
        self._platforms = {
            platform: _Parsed(spec.for_platform(platform), "content") for platform in Platform
        }

    def render(
        self, platform: Platform, *, user_id: str | None, traits: Mapping[str, Any]
    ) -> Content | ContentFault:
        """The content for one customer, or what in it can not be rendered for this one."""
        return self._platforms[platform].render(user_id, traits)

    def needs_customer(self, platform: Platform) -> bool:
        """Whether what is rendered depends on the customer at all."""
        return self._platforms[platform].is_dynamic


def faults_of(spec: ContentSpec) -> list[ContentFault]:
    """What Liquid can not parse, or could never render."""
    faults: dict[str, ContentFault] = {}
    for platform in Platform:
        content = spec.for_platform(platform)
        for name, text in _texts(content):
            where = _where(spec, platform, name)
            wrong = _wrong(text) if where not in faults else None
            if wrong is not None:
                faults[where] = ContentFault(field=where, message=f"is not valid Liquid: {wrong}")
    return list(faults.values())


def _where(spec: ContentSpec, platform: Platform, name: str) -> str:
    """The field in which a platform's text was written."""
    override = spec.overrides.get(platform, {})
    own, dot, key = name.partition(".")
    is_own = key in override.get("data", {}) if dot else own in override
    return f"content.platforms.{platform.value}.{name}" if is_own else f"content.{name}"


def _wrong(text: str) -> str | None:
    """What Liquid can not do with a text. Filters and names are looked for: Liquid itself misses
    a filter only when it gets there, for some customers and not for others, and a name never."""
    if not is_dynamic(text):
        return None
    try:
        template = _environment.from_string(text)
    except LiquidError as error:
        return str(error).splitlines()[0]
    for name in template.filter_names():
        if name not in _environment.filters:
            return f"there is no filter {name}"
    for name in template.global_variables():
        if name not in _NAMES:
            return f"there is no {name}; traits are read as customer.{name}"
    return None


class _Parsed:
    def __init__(self, content: Content, path: str) -> None:
        self._content = content
        self._path = path
        self._renders = {
            name: render for name, text in _texts(content) if (render := _parse(text)) is not None
        }
        self.is_dynamic = bool(self._renders)

    def render(self, user_id: str | None, traits: Mapping[str, Any]) -> Content | ContentFault:
        if not self._renders:
            return self._content
        customer = {"customer": {**traits, "user_id": user_id}}
        rendered: dict[str, Any] = {}
        for name, render in self._renders.items():
            try:
                text = render(customer)
            except Exception as error:
                # Filters raise whatever Python does for strange values (OverflowError, ValueError,
                # decimal's own): one customer's traits must not stop a whole campaign.
                return ContentFault(field=f"{self._path}.{name}", message=_words(error))
            check = _CHECKS.get(name)
            if check is None:
                rendered[name] = text
            elif not text.strip():
                rendered[name] = None  # a picture or a place to go that this customer has not
            elif (wrong := check(text)) is not None:
                return ContentFault(field=f"{self._path}.{name}", message=wrong)
            else:
                rendered[name] = text
        texts = {name: rendered[name] for name in _TEXTS if name in rendered}
        if _is_silent(rendered, self._content):
            return ContentFault(field=f"{self._path}.title", message="says nothing, nor does body")
        data = {
            name: rendered.get(f"data.{name}", text) for name, text in self._content.data.items()
        }
        return replace(self._content, data=data, **texts)


def _is_silent(rendered: Mapping[str, Any], content: Content) -> bool:
    """Whether a push that should say something is left without a word."""
    said = (rendered.get("title", content.title), rendered.get("body", content.body))
    return said != (None, None) and not any(text and text.strip() for text in said)


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _texts(content: Content) -> list[tuple[str, str]]:
    found = [(name, text) for name in _TEXTS if (text := getattr(content, name)) is not None]
    return found + [(f"data.{name}", text) for name, text in content.data.items()]


def _parse(text: str) -> Render | None:
    if not is_dynamic(text):
        return None
    template = _environment.from_string(text)
    return lambda customer: template.render(**customer)
