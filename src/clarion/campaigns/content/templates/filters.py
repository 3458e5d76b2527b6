"""The filters of Liquid, held to what Clarion promises of them. Pure.

- They work on what is printed: a number, a list or nothing becomes a text as `printing.py` says.
- What they take and what they make is bounded, and so is the work of one rendering: each filter
  is paid for by the size of what it works on, before it works.
- `date`, `first`, `join`, `replace` and `uniq` are our own: Liquid's lose a push over a date in
  milliseconds, show the first trait there is, or take seconds or gigabytes.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from liquid.exceptions import FilterArgumentError, LiquidError, ResourceLimitError
from liquid.filter import sequence_filter
from liquid.undefined import Undefined

from clarion.campaigns.content.templates.dates import CUSTOMER_ZONE, in_zone, instant_of, written
from clarion.campaigns.content.templates.printing import json_text, number_text, text_of
from clarion.time_zone import is_zone

VALUE_SIZE_MAX = 16_384
"""Characters, members or bits of what goes into a filter and comes out of it."""
_CHARACTERS_A_STEP = 16
_MEMBERS_A_STEP = 4
_DATE_STEPS = 100
"""A date in words is looked at in many ways."""
_DEAR = frozenset({"strip_html", "url_encode", "url_decode", "escape_once"})
"""Filters that take a text apart."""
_TEXT_MODULES = ("liquid.builtin.filters.string", "liquid.builtin.filters.extra")

Filter = Callable[..., Any]


class Rendering(Protocol):
    """What a filter sees of the rendering that it works for."""

    now: datetime | None
    zone: str | None
    """The workspace's."""
    customer_zone: str | None

    def spend(self, steps: int) -> None:
        """Raises ResourceLimitError where the rendering has worked enough."""


def check_size(value: Any) -> None:
    """Raises ResourceLimitError where a value is too big to be worked on."""
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        size = value.bit_length()
    else:
        size = len(value) if isinstance(value, (str, list, tuple, dict, range)) else 0
    if size > VALUE_SIZE_MAX:
        raise ResourceLimitError(f"a value is larger than {VALUE_SIZE_MAX}", token=None)


def steps_of(value: Any) -> int:
    """What it costs to look at the whole of a value."""
    if isinstance(value, str):
        return len(value) // _CHARACTERS_A_STEP
    if isinstance(value, range):
        return len(value) // _MEMBERS_A_STEP
    if isinstance(value, (list, tuple)):
        return len(value) // _MEMBERS_A_STEP + sum(map(steps_of, value))
    if isinstance(value, dict):
        return 1 + len(value) // _MEMBERS_A_STEP + sum(map(steps_of, value.values()))
    return 0


def held_to_bounds(name: str, inner: Filter, environment: Any) -> Filter:
    """A filter of Liquid's, or ours in its place: called with the rendering, then as Liquid does.

    `inner` is Liquid's own."""
    own = _OWN.get(name)
    works_on_text = own is None and getattr(inner, "__module__", "") in _TEXT_MODULES
    keeps_lists = name == "slice"
    if own is None and getattr(inner, "with_environment", False):
        inner = partial(inner, environment=environment)

    def work(rendering: Rendering, value: Any, args: Any, options: Any) -> Any:
        if own is not None:
            return own(rendering, value, *args, **options)
        if not works_on_text:
            return inner(value, *args, **options)
        if name in _DEAR:
            rendering.spend(steps_of(value))
        if not (keeps_lists and isinstance(value, (list, tuple, range))):
            value = text_of(value)
        return inner(value, *map(_argument, args), **options)

    def run(rendering: Rendering, value: Any, *args: Any, **options: Any) -> Any:
        steps = 1
        for taken in (value, *args):
            if type(taken) is not str or len(taken) >= _CHARACTERS_A_STEP:
                check_size(taken)
                steps += steps_of(taken)
        rendering.spend(steps)
        try:
            made = work(rendering, value, args, options)
        except LiquidError as error:
            if not isinstance(error.__cause__, TypeError):
                raise
            raise _unfit(name) from error
        except Exception as error:
            raise _unfit(name) from error
        if type(made) is not str or len(made) > VALUE_SIZE_MAX:
            check_size(made)
        return made

    return run


def _unfit(name: str) -> FilterArgumentError:
    """Instead of what Python says of a value that a filter can not work on."""
    return FilterArgumentError(f"{name}: can not work on what it is given", token=None)


def _argument(value: Any) -> Any:
    return value if isinstance(value, (str, Undefined)) else text_of(value)


def _date(rendering: Rendering, value: Any, form: Any = None, zone: Any = None) -> Any:
    """The instant in the form; nothing for what is none, so that `default` can speak. `zone`:
    `customer`, or the name of one; what is none is the workspace's."""
    if isinstance(value, str):
        rendering.spend(_DATE_STEPS)
    instant = instant_of(value, rendering.now)
    if instant is None:
        return None
    if not text_of(form):
        return text_of(value)
    own = rendering.customer_zone if zone == CUSTOMER_ZONE else zone
    return written(in_zone(instant, own if is_zone(own) else rendering.zone), text_of(form))


def _first(_: Rendering, value: Any) -> Any:
    """The first of a list. An object has none: which of its traits comes first is chance."""
    return value[0] if isinstance(value, (list, tuple, range)) and value else None


def _last(_: Rendering, value: Any) -> Any:
    return value[-1] if isinstance(value, (list, tuple, range)) and value else None


def _replace(_: Rendering, value: Any, old: Any, new: Any = "") -> str:
    text, old, new = text_of(value), text_of(old), text_of(new)
    if len(text) + text.count(old) * (len(new) - len(old)) > VALUE_SIZE_MAX:
        raise ResourceLimitError(f"a value is larger than {VALUE_SIZE_MAX}", token=None)
    return text.replace(old, new)


@sequence_filter
def _joined(members: Iterable[Any], separator: Any) -> str:
    texts = [text_of(member) for member in members]
    between = text_of(separator)
    if sum(map(len, texts)) + len(between) * len(texts) > 2 * VALUE_SIZE_MAX:
        raise ResourceLimitError(f"a value is larger than {VALUE_SIZE_MAX}", token=None)
    return between.join(texts)


def _join(_: Rendering, value: Any, separator: Any = " ") -> Any:
    return _joined(value, separator)


@sequence_filter
def _unique(members: Iterable[Any], name: Any) -> list[Any]:
    seen: set[Any] = set()
    unique = []
    for member in members:
        if name is None:
            value = member
        elif isinstance(member, dict):
            value = member.get(name)
        else:
            raise FilterArgumentError(f"{text_of(member)} has no {text_of(name)}", token=None)
        mark = _mark(value)
        if mark not in seen:
            seen.add(mark)
            unique.append(member)
    return unique


def _uniq(rendering: Rendering, value: Any, name: Any = None) -> Any:
    if isinstance(value, (list, tuple, range)):
        rendering.spend(len(value))
    return _unique(value, name)


def _mark(value: Any) -> Any:
    """Equal for what JSON holds equal: 1 is 1.0, and neither `true` nor "1"."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return (number_text(value),)
    return (json_text(value),)


def _json(_: Rendering, value: Any) -> str:
    return json_text(value)


_OWN: dict[str, Filter] = {
    "date": _date,
    "first": _first,
    "join": _join,
    "json": _json,
    "last": _last,
    "replace": _replace,
    "uniq": _uniq,
}
OWN_NAMES = frozenset(_OWN)
