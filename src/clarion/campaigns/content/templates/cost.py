"""What a template costs before it was ever rendered, in the steps of `liquid.py`. Pure.

Counted is one way through it: of several branches the dearest, each loop over a trait once, each
loop over numbers that stand in the template as often as they say. A campaign that costs too much
even so is refused when it is saved, not push by push.
"""

from collections.abc import Iterable

from liquid.ast import Node
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.tags.case_tag import CaseNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from clarion.campaigns.content.templates.liquid import LOOPS_MAX, Bounded, children_of, size_of
from clarion.campaigns.content.templates.rendering import STEPS_MAX

_TOO_MANY = STEPS_MAX + 1


def steps_at_least(nodes: Iterable[Node], turns: int = 1) -> int:
    """What going through the nodes takes, within loops that make so many turns together."""
    return sum(_steps(node, turns) for node in nodes)


def _steps(node: Node, turns: int) -> int:
    if isinstance(node, (ForNode, TablerowNode)):
        length = _length(node)
        if turns * length > LOOPS_MAX:
            return _TOO_MANY
        within = steps_at_least(children_of(node.block), turns * length)
        return length * (size_of(node.block) + within)
    if isinstance(node, (IfNode, UnlessNode, CaseNode)):
        return 1 + max((_steps(child, turns) for child in children_of(node)), default=0)
    return size_of(node) if not children_of(node) else 1 + steps_at_least(children_of(node), turns)


def _length(node: ForNode | TablerowNode) -> int:
    """How many turns a loop makes at least, if it makes any."""
    loop = node.expression
    members = loop.iterable
    if isinstance(members, Bounded):
        (members,) = members.children()
    if not isinstance(members, RangeLiteral):
        return 1
    start, stop = _number(members.start), _number(members.stop)
    offset = 0 if loop.offset is None else _number(loop.offset)
    limit = _TOO_MANY if loop.limit is None else _number(loop.limit)
    if start is None or stop is None or offset is None or limit is None:
        return 1
    return max(0, min(stop - start + 1 - offset, limit))


def _number(expression: Expression) -> int | None:
    return expression.value if isinstance(expression, IntegerLiteral) else None
