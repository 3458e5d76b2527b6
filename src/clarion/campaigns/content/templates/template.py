"""A campaign's texts, rendered for one customer: `Hi {{ customer.first_name | default: "there"
}}`. Pure.

Templates are parsed once a campaign; a text without tags is never handed to Liquid. A trait that
is missing renders as nothing (`default` gives it a value); a filter, a tag or a name besides
`customer`, `event` and `campaign` that does not exist is refused when the campaign is saved, and so
is what is too expensive for anybody. `event` is what a push to one customer was asked for with; in
a launch to an audience it is empty.

Traits come from outside: whatever they are, a template renders a bounded text in bounded time or
says that it can not, and a trait that looks like Liquid is a text like any other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.span import Span
from liquid.template import BoundTemplate
from msgspec.structs import replace

from clarion.campaigns.content.appearance import Button
from clarion.campaigns.content.fields import is_dynamic, wrong_image, wrong_link
from clarion.campaigns.content.language import language_of
from clarion.campaigns.content.spec import Content, ContentSpec
from clarion.campaigns.content.templates.cost import steps_at_least
from clarion.campaigns.content.templates.date_zones import (
    asks_customers,
    wrong_zone,
    zones_of_dates,
)
from clarion.campaigns.content.templates.filters import VALUE_SIZE_MAX
from clarion.campaigns.content.templates.launch_values import NO_LAUNCH, OF_CAMPAIGN, LaunchValues
from clarion.campaigns.content.templates.liquid import LOOPS_MAX, environment, parse, render
from clarion.campaigns.content.templates.rendering import (
    OUTPUT_BYTES_MAX,
    STEPS_MAX,
    Blank,
    CustomerDrop,
    line_of,
)
from clarion.customers.devices.device import Platform
from clarion.faults import Fault

__all__ = [
    "LOOPS_MAX",
    "OUTPUT_BYTES_MAX",
    "STEPS_MAX",
    "TEMPLATE_CHARACTERS_MAX",
    "VALUE_SIZE_MAX",
    "RenderingFault",
    "Template",
    "faults_of",
]

TEMPLATE_CHARACTERS_MAX = 16_384
"""All texts with Liquid of one push together. What FCM takes is a quarter of it."""

ALL_CHARACTERS_MAX = 3 * TEMPLATE_CHARACTERS_MAX
"""All different texts with Liquid of a content, in all its languages and on all platforms."""
ALL_STEPS_MAX = 5 * STEPS_MAX
"""What it may take to render all of them once: so long nobody else on the loop is answered."""

STEPS_A_RENDERING = 10
"""What the shortest template takes before it does anything."""

_VARIANTS_KEPT = 1_000
"""By the tag that somebody reads: nearly all read one of a few."""
_CUSTOMER = "customer"
_BUTTONS = "buttons["
_EVENT = "event"
_CAMPAIGN = "campaign"
_TEXTS = ("title", "body", "image", "link")
_CHECKS: dict[str, Callable[[str], str | None]] = {"image": wrong_image, "link": wrong_link}


@dataclass(frozen=True, slots=True)
class RenderingFault(Fault):
    """What can not be rendered, and in which line of its text."""

    line: int = 1


class Template:
    """A campaign's content, ready to be rendered for any number of customers."""

    def __init__(self, spec: ContentSpec) -> None:
        """`spec` has passed `faults_of`."""
        self.steps = 0
        """What all renderings took so far, so that a loop knows when to let others have a turn."""
        same = _Parsed(spec.base)
        self._spec = spec
        self._parsed = {
            (platform, variant): _Parsed(content) if content is not spec.base else same
            for platform, variant, content in spec.all_contents()
        }
        self.has_variants = bool(spec.variants)
        self._variants: dict[str | None, str | None] = {}
        self.is_for_each = self.has_variants or any(
            parsed.templates for parsed in self._parsed.values()
        )
        """Whether what a push says depends on the customer at all."""
        zones = [zone for parsed in self._parsed.values() for zone in parsed.date_zones()]
        self.has_dates = bool(zones)
        self.has_dates_of_customers = any(map(asks_customers, zones))
        """Whether a date may be written in the zone in which the customer is."""

    def render(
        self,
        platform: Platform,
        *,
        user_id: str | None,
        traits: Mapping[str, Any],
        now: datetime | None = None,
        variant: str | None = None,
        blanks: list[tuple[str, Blank]] | None = None,
        launch: LaunchValues = NO_LAUNCH,
        zone: str | None = None,
    ) -> Content | RenderingFault:
        """The content for one customer in a variant (`variant_for`), or what in it can not be
        rendered for this one.

        `now` is what `date` makes of the word; without it the word means nothing. `blanks`: where
        outputs that print nothing are noted, each with the name of its text. `zone`: in which the
        customer is; None: nobody knows, or no date asks (`has_dates_of_customers`)."""
        parsed = self._parsed[platform, variant]
        if not parsed.templates:
            return parsed.content
        content, steps_left = parsed.render(
            CustomerDrop(user_id, traits), now, blanks, launch, zone
        )
        self.steps += STEPS_A_RENDERING + STEPS_MAX - steps_left
        return content

    def variant_for(self, traits: Mapping[str, Any], locale: Any = None) -> str | None:
        """The variant that a customer sees on a device with that locale; None: the default."""
        if not self.has_variants:
            return None
        tag = language_of(traits, locale)
        if tag not in self._variants:
            if len(self._variants) >= _VARIANTS_KEPT:
                self._variants.clear()
            self._variants[tag] = self._spec.variant_for(tag)
        return self._variants[tag]

    def unrendered(self, platform: Platform, variant: str | None = None) -> Content:
        """What `render` starts from: the same object each time. What is not rendered is in both."""
        return self._parsed[platform, variant].content


def faults_of(spec: ContentSpec) -> list[Fault]:
    """What Liquid can not parse, could never render, or only at too high a price: for one device,
    or to be checked in all languages."""
    faults: dict[str, Fault] = {}
    seen: set[tuple[tuple[str, str], ...]] = set()
    distinct: set[str] = set()
    steps = 0
    for platform, variant, content in spec.all_contents():
        texts = tuple(_dynamic_texts(content))
        if texts in seen:
            continue  # who sees the same is looked at once
        seen.add(texts)
        distinct.update(text for _, text in texts)
        if sum(map(len, distinct)) > ALL_CHARACTERS_MAX:
            message = f"have more than {ALL_CHARACTERS_MAX} characters with Liquid: shorten them"
            return [*faults.values(), Fault("content.languages", message)]
        wrong = _wrong_texts(content)
        if not wrong:
            wrong, spent = _too_expensive(content)
            steps += spent
        for name, message in wrong:
            where = written_at(spec, platform, variant, name)
            faults.setdefault(where, Fault(field=where, message=message))
        if steps > ALL_STEPS_MAX:
            message = f"take more than {ALL_STEPS_MAX} steps together: use fewer loops"
            return [*faults.values(), Fault("content.languages", message)]
    return list(faults.values())


def written_at(spec: ContentSpec, platform: Platform, variant: str | None, name: str) -> str:
    """The field in which a text was written that a platform shows in a variant. `name`: of the
    rendered content, such as `title` or `data.code`."""
    own, _, key = name.partition(".")
    own = own.partition("[")[0]
    for path, layer in reversed(spec.layers(platform, variant)):
        if key in layer.get("data", {}) if own == "data" and key else own in layer:
            return f"{path}.{name}"
    return f"content.{name}"


def _wrong_texts(content: Content) -> list[tuple[str, str]]:
    """The texts that can not be parsed, or name what there is not; and why."""
    texts = _dynamic_texts(content)
    if sum(len(text) for _, text in texts) > TEMPLATE_CHARACTERS_MAX:
        longest = max(texts, key=lambda named: len(named[1]))[0]
        limit = f"{TEMPLATE_CHARACTERS_MAX} characters"
        message = f"is too long: all texts with Liquid together have {limit} at most"
        return [(longest, message)]
    return [
        (name, f"is not valid Liquid{_in_line(text, line)}: {cause}")
        for name, text in texts
        if (wrong := _wrong(text)) is not None
        for line, cause in [wrong]
    ]


def _in_line(text: str, line: int) -> str:
    """Which line, where a text has several."""
    return f" in line {line}" if "\n" in text.strip() else ""


def _wrong(text: str) -> tuple[int, str] | None:
    """What Liquid can not do with a text, and its line. Filters and names are looked for: Liquid
    itself misses a filter only when it gets there, for some customers and not for others, and a
    name never."""
    try:
        template = parse(text)
        used = template.analyze(include_partials=False)
    except LiquidError as error:
        return line_of(error.token), _words(error)
    except RecursionError:
        return 1, "it is nested too deep"
    for filter_name, spans in used.filters.items():
        if filter_name not in environment.filters:
            return _line_at(text, spans[0]), f"there is no filter {filter_name}"
    for variable in chain.from_iterable(used.globals.values()):
        root = variable.segments[0]
        if root == _EVENT:
            continue
        line = _line_at(text, variable.span)
        if root == _CAMPAIGN:
            if len(variable.segments) == 2 and variable.segments[1] in OF_CAMPAIGN:
                continue
            return line, f"campaign has {', '.join(OF_CAMPAIGN)}, such as campaign.name"
        if root != _CUSTOMER:
            return line, f"there is no {root}; traits are read as customer.{root}"
        if len(variable.segments) == 1:
            return line, "customer alone says nothing; name a trait, such as customer.first_name"
    for line, zone in zones_of_dates(template):
        if wrong_zone(zone):
            return line, f"there is no time zone {zone}; use customer, or one such as Europe/Vienna"
    return None


def _line_at(text: str, span: Span) -> int:
    return text.count("\n", 0, span.index) + 1


def _too_expensive(content: Content) -> tuple[list[tuple[str, str]], int]:
    """The text that takes too much of everybody, or of whoever goes a certain way through it; and
    the steps it took to find out."""
    parsed = _Parsed(content)
    costs = {name: steps_at_least(template.nodes) for name, template in parsed.templates.items()}
    if sum(costs.values()) > STEPS_MAX:
        message = f"is too expensive: it takes more than {STEPS_MAX} steps; use fewer loops"
        return [(max(costs, key=lambda name: costs[name]), message)], 0
    customer, steps = CustomerDrop(None, {}), STEPS_MAX
    for name, template in parsed.templates.items():
        try:
            _, steps = render(template, customer, steps=steps, now=None)
        except ResourceLimitError as error:
            return [(name, f"is too expensive: {_words(error)}")], STEPS_MAX
        except Exception:
            # What else fails does so for want of traits, which nobody has here.
            continue
    return [], STEPS_MAX - steps


class _Parsed:
    """One platform's content."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.templates: dict[str, BoundTemplate] = {
            name: parse(text) for name, text in _dynamic_texts(content)
        }
        self._checks = {
            name: check
            for name in self.templates
            if not name.startswith("data.")
            and (check := _CHECKS.get(name.rpartition(".")[2])) is not None
        }
        self._has_own_data = any(name.startswith("data.") for name in self.templates)
        self._has_own_buttons = any(name.startswith(_BUTTONS) for name in self.templates)

    def date_zones(self) -> list[str | None]:
        """What dates name as their zone: a name, `customer`, an empty text for what only the
        rendering knows; None: nothing."""
        return [
            zone for template in self.templates.values() for _, zone in zones_of_dates(template)
        ]

    def render(
        self,
        customer: CustomerDrop,
        now: datetime | None,
        blanks: list[tuple[str, Blank]] | None = None,
        launch: LaunchValues = NO_LAUNCH,
        zone: str | None = None,
    ) -> tuple[Content | RenderingFault, int]:
        """What becomes of it, and how many steps are left."""
        steps = STEPS_MAX
        rendered: dict[str, Any] = {}
        for name, template in self.templates.items():
            noted: list[Blank] | None = None if blanks is None else []
            try:
                text, steps = render(
                    template,
                    customer,
                    steps=steps,
                    now=now,
                    blanks=noted,
                    launch=launch,
                    zone=zone,
                )
            except Exception as error:
                # Filters raise whatever Python does for strange values (OverflowError, ValueError,
                # decimal's own): one customer's traits must not stop a whole campaign.
                left = 0 if isinstance(error, ResourceLimitError) else steps
                line = line_of(error.token) if isinstance(error, LiquidError) else 1
                return RenderingFault(f"content.{name}", _words(error), line), left
            if blanks is not None:
                blanks += [(name, blank) for blank in noted or ()]
            check = self._checks.get(name)
            if check is None:
                rendered[name] = text
            elif not text.strip():
                rendered[name] = None  # a picture or a place to go that this customer has not
            elif (wrong := check(text)) is not None:
                return RenderingFault(f"content.{name}", wrong), steps
            else:
                rendered[name] = text
        content = self.content
        if _is_silent(rendered, content):
            return RenderingFault("content.title", "says nothing, nor does body"), steps
        if not self._has_own_data and not self._has_own_buttons:
            return replace(content, **rendered), steps
        texts = {name: rendered[name] for name in _TEXTS if name in rendered}
        texts["data"] = {
            name: rendered.get(f"data.{name}", text) for name, text in content.data.items()
        }
        if self._has_own_buttons:
            texts["buttons"] = _rendered_buttons(content.buttons, rendered)
        return replace(content, **texts), steps


def _rendered_buttons(buttons: Sequence[Button], rendered: Mapping[str, Any]) -> tuple[Button, ...]:
    """Buttons with their rendered texts; without those that are left without a title."""
    made = [
        Button(
            title=rendered.get(f"{_BUTTONS}{index}].title", button.title),
            link=rendered.get(f"{_BUTTONS}{index}].link", button.link),
        )
        for index, button in enumerate(buttons)
    ]
    return tuple(button for button in made if button.title.strip())


def _is_silent(rendered: Mapping[str, Any], content: Content) -> bool:
    """Whether a push that should say something is left without a word."""
    title, body = rendered.get("title", content.title), rendered.get("body", content.body)
    if title is None and body is None:
        return False
    return not (title and title.strip()) and not (body and body.strip())


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _dynamic_texts(content: Content) -> list[tuple[str, str]]:
    """The texts that Liquid has anything to do in, by the name of their field."""
    texts = [(name, text) for name in _TEXTS if (text := getattr(content, name)) is not None]
    texts += [(f"data.{name}", text) for name, text in content.data.items()]
    for index, button in enumerate(content.buttons):
        texts += [
            (f"{_BUTTONS}{index}].title", button.title),
            (f"{_BUTTONS}{index}].link", button.link or ""),
        ]
    return [(name, text) for name, text in texts if is_dynamic(text)]
