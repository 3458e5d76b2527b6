"""In which time zones a template writes its dates, as far as its text says. Pure."""

from typing import Any

from liquid.builtin.expressions.arguments import PositionalArgument
from liquid.builtin.expressions.primitive import StringLiteral
from liquid.template import BoundTemplate

from clarion.campaigns.content.templates.dates import CUSTOMER_ZONE, WORKSPACE_ZONE
from clarion.campaigns.content.templates.liquid import children_of, expressions_of
from clarion.campaigns.content.templates.rendering import line_of
from clarion.time_zone import is_zone

_DATE = "date"
_NOT_KNOWN = ""
"""Instead of a zone that only the rendering knows."""


def zones_of_dates(template: BoundTemplate) -> list[tuple[int, str | None]]:
    """For each `date` its line, and what it names as its zone; an empty text where only the
    rendering knows, None where it names nothing."""
    zones = []
    waiting = list(template.nodes)
    while waiting:
        node = waiting.pop()
        waiting += children_of(node)
        for expression in node.expressions():
            for part in expressions_of(expression):
                zones += [
                    (line_of(used.token), _zone_of(used))
                    for used in getattr(part, "filters", None) or ()
                    if used.name == _DATE
                ]
    return zones


def asks_customers(zone: str | None) -> bool:
    """Whether a date with this zone may be written in that of the customer."""
    return not (zone is None or zone == WORKSPACE_ZONE or is_zone(zone))


def wrong_zone(zone: str | None) -> bool:
    """Whether this is no zone for anybody."""
    return asks_customers(zone) and zone not in (CUSTOMER_ZONE, _NOT_KNOWN)


def _zone_of(used: Any) -> str | None:
    arguments = [argument for argument in used.args if isinstance(argument, PositionalArgument)]
    if len(arguments) < 2:
        return None
    value = arguments[1].value
    return value.value if isinstance(value, StringLiteral) else _NOT_KNOWN
