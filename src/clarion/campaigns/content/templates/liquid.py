"""Liquid as Clarion speaks it: a language over one customer's traits that cannot run away. Pure.

python-liquid brings the language. Changed here, through its own points of extension:

- `customer` shows traits and nothing else: Liquid gives every object `first`, `last` and `size` of
  its own, which would send whichever trait comes first. Nested objects are the same.
- Values are printed as JSON prints them (`printing.py`), and filters are ours (`filters.py`).
- One rendering may work so many steps. They are counted, not timed: what renders here renders on
  a slower machine too.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, TextIO

from liquid import Environment, Mode, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.logical import ContainsExpression
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.cycle_tag import CycleTag
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.exceptions import (
    LiquidError,
    LiquidInterrupt,
    LiquidSyntaxError,
    StopRender,
)
from liquid.expression import Expression
from liquid.template import BoundTemplate

from clarion.campaigns.content.templates.filters import OWN_NAMES, check_size, held_to_bounds
from clarion.campaigns.content.templates.launch_values import NO_LAUNCH, LaunchValues
from clarion.campaigns.content.templates.printing import text_of
from clarion.campaigns.content.templates.rendering import (
    CHARACTERS_A_STEP,
    Blank,
    CustomerDrop,
    Rendering,
    line_of,
)

LOOPS_MAX = 1_000
_INCLUDING = ("include", "render")


class _Template(BoundTemplate):
    """A template that is rendered by itself, never within another one."""

    def render_with_context(
        self, context: RenderContext, buffer: TextIO, *args: Any, **options: Any
    ) -> None:
        """As Liquid's own, which makes and leaves a context manager for each rendering."""
        context.scope.push({})
        for node in self.nodes:
            try:
                node.render(context, buffer)
            except LiquidInterrupt as error:
                self.env.error(LiquidSyntaxError(f"unexpected '{error}'", token=node.token))
            except StopRender:
                break
            except LiquidError as error:
                self.env.error(error, token=node.token)


class Printed(Expression):
    """What an expression says, as it is printed."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self._inner = inner

    def __str__(self) -> str:
        return str(self._inner)

    def evaluate(self, context: RenderContext) -> str:
        """The text."""
        return text_of(self._inner.evaluate(context))

    def children(self) -> Iterable[Expression]:
        """What it is made of."""
        return [self._inner]


class Bounded(Expression):
    """What a loop goes through, if it is short enough to be walked to its end."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self._inner = inner

    def __str__(self) -> str:
        return str(self._inner)

    def evaluate(self, context: RenderContext) -> object:
        """The members. A range is counted to its offset one by one, whatever its limit."""
        members = self._inner.evaluate(context)
        check_size(members)
        return members

    def children(self) -> Iterable[Expression]:
        """What it is made of."""
        return [self._inner]


class _Contains(ContainsExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        left, right = self.left.evaluate(context), self.right.evaluate(context)
        check_size(left)
        if isinstance(left, str) and not isinstance(right, str) and right is not None:
            return bool(text_of(right)) and text_of(right) in left
        return super().evaluate(context)


def _write(node: OutputNode, context: RenderContext, buffer: TextIO) -> int:
    value = node.expression.evaluate(context)
    text = value if type(value) is str else text_of(value)
    if isinstance(context, Rendering):
        context.spend(1 + len(text) // CHARACTERS_A_STEP)
        if not text and context.blanks is not None:
            context.blanks.append(Blank(line_of(node.token), str(node.expression)))
    return buffer.write(text)


class _OutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self, context, buffer)


class _Output(Output):
    node_class = _OutputNode


class _EchoNode(EchoNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self, context, buffer)


class _EchoTag(EchoTag):
    node_class = _EchoNode


class _CycleTag(CycleTag):
    def parse(self, stream: Any) -> Any:
        node = super().parse(stream)
        node.args = [Printed(argument) for argument in node.args]
        return node


class _ForNode(ForNode):
    __slots__ = ("_steps",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.expression.iterable = Bounded(self.expression.iterable)
        self._steps = size_of(self.block)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if isinstance(context, Rendering):
            context.begin_loop(self._steps)
        return super().render_to_output(context, buffer)


class _ForTag(ForTag):
    node_class = _ForNode


class _TablerowNode(TablerowNode):
    __slots__ = ("_steps",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.expression.iterable = Bounded(self.expression.iterable)
        self._steps = size_of(self.block)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if isinstance(context, Rendering):
            context.begin_loop(self._steps)
        return super().render_to_output(context, buffer)


class _TablerowTag(TablerowTag):
    node_class = _TablerowNode


def size_of(node: Node) -> int:
    """Of how many parts a piece of a template consists: what it takes to go through it once."""
    inner = sum(size_of(child) for child in children_of(node))
    return 1 + inner + sum(len(list(expressions_of(part))) for part in node.expressions())


def children_of(node: Node) -> list[Node]:
    """The nodes within a node."""
    return list(node.children(None, include_partials=False))  # type: ignore[arg-type]


def expressions_of(expression: Expression) -> Iterable[Expression]:
    """An expression and all it is made of."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += part.children()


class _Environment(Environment):
    template_class = _Template
    loop_iteration_limit = LOOPS_MAX
    context_depth_limit = 10

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for name in _INCLUDING:
            del self.tags[name]
        for tag in (_Output, _EchoTag, _CycleTag, _ForTag, _TablerowTag):
            self.add_tag(tag)
        for name in OWN_NAMES:
            self.filters.setdefault(name, lambda value: value)
        self.filters = {
            name: held_to_bounds(name, inner, self) for name, inner in self.filters.items()
        }


environment = _Environment(tolerance=Mode.STRICT, strict_filters=True, autoescape=False)


@lru_cache(maxsize=256)
def parse(text: str) -> BoundTemplate:
    """A template; it keeps nothing of its renderings.

    Raises LiquidError; RecursionError where it is nested too deep."""
    template = environment.from_string(text)
    waiting = list(template.nodes)
    while waiting:
        node = waiting.pop()
        waiting += children_of(node)
        for expression in node.expressions():
            for part in expressions_of(expression):
                if type(part) is ContainsExpression:
                    # The parser builds it by name; both are laid out alike.
                    part.__class__ = _Contains
    return template


def render(
    template: BoundTemplate,
    customer: CustomerDrop,
    *,
    steps: int,
    now: datetime | None,
    blanks: list[Blank] | None = None,
    launch: LaunchValues = NO_LAUNCH,
    zone: str | None = None,
) -> tuple[str, int]:
    """The text, and how many of the steps are left. Raises what Liquid, or Python, does. `blanks`:
    where outputs are noted that print nothing; `zone`: the customer's own."""
    rendering = Rendering(
        template, customer, steps, now, blanks=blanks, launch=launch, customer_zone=zone
    )
    buffer = rendering.get_buffer()
    template.render_with_context(rendering, buffer)
    return buffer.getvalue(), rendering.steps_left
