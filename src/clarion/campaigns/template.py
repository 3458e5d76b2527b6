"""Liquid over a customer: `Hi {{ customer.first_name | default: "there" }}`.

Templates are parsed once a campaign and platform; a text without tags is never handed to Liquid.
A trait that is missing renders as nothing (`default` gives it a value); a filter or tag that does
not exist is refused when the campaign is saved.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from liquid import Environment, Mode
from liquid.exceptions import LiquidError

from clarion.campaigns.content import Content, ContentFault, ContentSpec
from clarion.customers.device import Platform

LOOPS_MAX = 1_000
OUTPUT_BYTES_MAX = 16_384

_TEXTS = ("title", "body", "image", "link")

Render = Callable[[Mapping[str, Any]], str]


class _Environment(Environment):
    """No loaders, so no includes; loops and output are bounded, so a template can not run away."""

    loop_iteration_limit = LOOPS_MAX
    output_stream_limit = OUTPUT_BYTES_MAX
    context_depth_limit = 10


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
    """What Liquid can not parse."""
    faults: dict[str, ContentFault] = {}
    for platform in Platform:
        path = f"content.platforms.{platform.value}" if platform in spec.overrides else "content"
        for name, text in _texts(spec.for_platform(platform)):
            where = f"{path}.{name}"
            try:
                _parse(text)
            except LiquidError as error:
                faults[where] = ContentFault(field=where, message=f"is not valid Liquid: {error}")
    return list(faults.values())


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
        rendered: dict[str, str] = {}
        for name, render in self._renders.items():
            try:
                rendered[name] = render(customer)
            except LiquidError as error:
                return ContentFault(field=f"{self._path}.{name}", message=str(error))
        texts: dict[str, Any] = {name: rendered[name] for name in _TEXTS if name in rendered}
        data = {
            name: rendered.get(f"data.{name}", text) for name, text in self._content.data.items()
        }
        return replace(self._content, data=data, **texts)


def _texts(content: Content) -> list[tuple[str, str]]:
    found = [(name, text) for name in _TEXTS if (text := getattr(content, name)) is not None]
    return found + [(f"data.{name}", text) for name, text in content.data.items()]


def _parse(text: str) -> Render | None:
    if "{{" not in text and "{%" not in text:
        return None
    template = _environment.from_string(text)
    return lambda customer: template.render(**customer)
