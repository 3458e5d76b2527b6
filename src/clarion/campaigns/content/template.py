"""A campaign's texts, rendered for one customer: `Hi {{ customer.first_name | default: "there"
}}`. Pure.

Templates are parsed once a campaign; a text without tags is never handed to Liquid. A trait that
is missing renders as nothing (`default` gives it a value); a filter, a tag or a name besides
`customer` and `event` that does not exist is refused when the campaign is saved, and so is what is
too expensive for anybody. `event` is what a push to one customer was asked for with; in a launch to
an audience it is empty.

Traits come from outside: whatever they are, a template renders a bounded text in bounded time or
says that it can not, and a trait that looks like Liquid is a text like any other.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.template import BoundTemplate

from clarion.campaigns.content.cost import steps_at_least
from clarion.campaigns.content.filters import VALUE_SIZE_MAX
from clarion.campaigns.content.liquid import (
    LOOPS_MAX,
    OUTPUT_BYTES_MAX,
    STEPS_MAX,
    CustomerDrop,
    environment,
    parse,
    render,
)
from clarion.campaigns.content.spec import (
    Content,
    ContentSpec,
    is_dynamic,
    wrong_image,
    wrong_link,
)
from clarion.customers.devices.device import Platform
from clarion.faults import Fault

__all__ = [
    "LOOPS_MAX",
    "OUTPUT_BYTES_MAX",
    "STEPS_MAX",
    "TEMPLATE_CHARACTERS_MAX",
    "VALUE_SIZE_MAX",
    "Template",
    "faults_of",
]

TEMPLATE_CHARACTERS_MAX = 16_384
"""All texts with Liquid of one push together. What FCM takes is a quarter of it."""

STEPS_A_RENDERING = 10
"""What the shortest template takes before it does anything."""

_CUSTOMER = "customer"
_EVENT = "event"
_TEXTS = ("title", "body", "image", "link")
_CHECKS: dict[str, Callable[[str], str | None]] = {"image": wrong_image, "link": wrong_link}


class Template:
    """A campaign's content, ready to be rendered for any number of customers."""

    def __init__(self, spec: ContentSpec) -> None:
        """`spec` has passed `faults_of`."""
        self.steps = 0
        """What all renderings took so far, so that a loop knows when to let others have a turn."""
        same = _Parsed(spec.base)
        self._platforms = {
            platform: _Parsed(spec.for_platform(platform)) if spec.overrides.get(platform) else same
            for platform in Platform
        }

    def render(
        self,
        platform: Platform,
        *,
        user_id: str | None,
        traits: Mapping[str, Any],
        now: datetime | None = None,
        event: Mapping[str, Any] | None = None,
    ) -> Content | Fault:
        """The content for one customer, or what in it can not be rendered for this one.

        `event`: what a push to one customer was asked for with. `now` is what `date` makes of the
        word; without it the word means nothing."""
        parsed = self._platforms[platform]
        if not parsed.templates:
            return parsed.content
        content, steps_left = parsed.render(CustomerDrop(user_id, traits), now, event)
        self.steps += STEPS_A_RENDERING + STEPS_MAX - steps_left
        return content

    def unrendered(self, platform: Platform) -> Content:
        """What `render` starts from: the same object each time. What is not rendered is in both."""
        return self._platforms[platform].content

    def needs_customer(self, platform: Platform) -> bool:
        """Whether what is rendered depends on the customer at all."""
        return bool(self._platforms[platform].templates)


def faults_of(spec: ContentSpec) -> list[Fault]:
    """What Liquid can not parse, could never render, or only at too high a price."""
    faults: dict[str, Fault] = {}
    # Platforms that see the same are looked at once.
    contents = {id(content := spec.for_platform(each)): (each, content) for each in Platform}
    for platform, content in contents.values():
        for name, message in _wrong_texts(content) or _too_expensive(content):
            where = _where(spec, platform, name)
            faults.setdefault(where, Fault(field=where, message=message))
    return list(faults.values())


def _where(spec: ContentSpec, platform: Platform, name: str) -> str:
    """The field in which a platform's text was written."""
    override = spec.overrides.get(platform, {})
    own, dot, key = name.partition(".")
    is_own = key in override.get("data", {}) if dot else own in override
    return f"content.platforms.{platform.value}.{name}" if is_own else f"content.{name}"


def _wrong_texts(content: Content) -> list[tuple[str, str]]:
    """The texts that can not be parsed, or name what there is not; and why."""
    texts = _dynamic_texts(content)
    if sum(len(text) for _, text in texts) > TEMPLATE_CHARACTERS_MAX:
        longest = max(texts, key=lambda named: len(named[1]))[0]
        limit = f"{TEMPLATE_CHARACTERS_MAX} characters"
        message = f"is too long: all texts with Liquid together have {limit} at most"
        return [(longest, message)]
    return [
        (name, f"is not valid Liquid: {wrong}")
        for name, text in texts
        if (wrong := _wrong(text)) is not None
    ]


def _wrong(text: str) -> str | None:
    """What Liquid can not do with a text. Filters and names are looked for: Liquid itself misses
    a filter only when it gets there, for some customers and not for others, and a name never."""
    try:
        template = parse(text)
        for name in template.filter_names():
            if name not in environment.filters:
                return f"there is no filter {name}"
        for segments in template.global_variable_segments():
            if segments[0] == _EVENT:
                continue
            if segments[0] != _CUSTOMER:
                return f"there is no {segments[0]}; traits are read as customer.{segments[0]}"
            if len(segments) == 1:
                return "customer alone says nothing; name a trait, such as customer.first_name"
    except LiquidError as error:
        return _words(error)
    except RecursionError:
        return "it is nested too deep"
    return None


def _too_expensive(content: Content) -> list[tuple[str, str]]:
    """The text that takes too much of everybody, or of whoever goes a certain way through it."""
    parsed = _Parsed(content)
    costs = {name: steps_at_least(template.nodes) for name, template in parsed.templates.items()}
    if sum(costs.values()) > STEPS_MAX:
        message = f"is too expensive: it takes more than {STEPS_MAX} steps; use fewer loops"
        return [(max(costs, key=lambda name: costs[name]), message)]
    customer, steps = CustomerDrop(None, {}), STEPS_MAX
    for name, template in parsed.templates.items():
        try:
            _, steps = render(template, customer, steps=steps, now=None)
        except ResourceLimitError as error:
            return [(name, f"is too expensive: {_words(error)}")]
        except Exception:
            # What else fails does so for want of traits, which nobody has here.
            continue
    return []


class _Parsed:
    """One platform's content."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.templates: dict[str, BoundTemplate] = {
            name: parse(text) for name, text in _dynamic_texts(content)
        }

    def render(
        self, customer: CustomerDrop, now: datetime | None, event: Mapping[str, Any] | None
    ) -> tuple[Content | Fault, int]:
        """What becomes of it, and how many steps are left."""
        steps = STEPS_MAX
        rendered: dict[str, Any] = {}
        for name, template in self.templates.items():
            try:
                text, steps = render(template, customer, steps=steps, now=now, event=event)
            except Exception as error:
                # Filters raise whatever Python does for strange values (OverflowError, ValueError,
                # decimal's own): one customer's traits must not stop a whole campaign.
                left = 0 if isinstance(error, ResourceLimitError) else steps
                return Fault(field=f"content.{name}", message=_words(error)), left
            check = _CHECKS.get(name)
            if check is None:
                rendered[name] = text
            elif not text.strip():
                rendered[name] = None  # a picture or a place to go that this customer has not
            elif (wrong := check(text)) is not None:
                return Fault(field=f"content.{name}", message=wrong), steps
            else:
                rendered[name] = text
        content = self.content
        if _is_silent(rendered, content):
            message = "says nothing, nor does body"
            return Fault(field="content.title", message=message), steps
        texts = {name: rendered[name] for name in _TEXTS if name in rendered}
        data = {name: rendered.get(f"data.{name}", text) for name, text in content.data.items()}
        return replace(content, data=data, **texts), steps


def _is_silent(rendered: Mapping[str, Any], content: Content) -> bool:
    """Whether a push that should say something is left without a word."""
    texts = (rendered.get("title", content.title), rendered.get("body", content.body))
    return texts != (None, None) and not any(text and text.strip() for text in texts)


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _dynamic_texts(content: Content) -> list[tuple[str, str]]:
    """The texts that Liquid has anything to do in, by the name of their field."""
    texts = [(name, text) for name in _TEXTS if (text := getattr(content, name)) is not None]
    texts += [(f"data.{name}", text) for name, text in content.data.items()]
    return [(name, text) for name, text in texts if is_dynamic(text)]
