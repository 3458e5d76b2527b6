"""One text while it is rendered for one customer: what names mean, and how much it may work. Pure.

Steps are counted, not timed: what renders here renders on a slower machine too.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from liquid import RenderContext
from liquid.exceptions import OutputStreamLimitError, ResourceLimitError
from liquid.template import BoundTemplate
from liquid.undefined import UNDEFINED

from clarion.campaigns.content.templates.filters import check_size, steps_of
from clarion.campaigns.content.templates.launch_values import LaunchValues

OUTPUT_BYTES_MAX = 16_384
STEPS_MAX = 20_000
"""What rendering all texts of one push may cost; a step is about a microsecond."""
CHARACTERS_A_STEP = 64


class CustomerDrop:
    """A customer as a template sees it: traits by their names, `user_id`, and nothing more."""

    __slots__ = ("_traits", "_user_id")

    def __init__(self, user_id: str | None, traits: Mapping[str, Any]) -> None:
        self._user_id = user_id
        self._traits = traits

    def __getitem__(self, name: Any) -> Any:
        return self._user_id if name == "user_id" else self._traits[name]

    def __str__(self) -> str:
        return ""


class Blank(NamedTuple):
    """An output that has printed nothing: where it stands, and what it says."""

    line: int
    expression: str


def line_of(token: Any) -> int:
    """The line, from 1, in which a part of a template stands; the last one where it misses."""
    if token is None:
        return 1
    at = token.start_index if token.start_index >= 0 else len(token.source)
    return int(token.source.count("\n", 0, at)) + 1


class Rendering(RenderContext):
    """One text that is being rendered for one customer."""

    __slots__ = (
        "_block_steps",
        "_customer",
        "blanks",
        "customer_zone",
        "now",
        "steps_left",
        "zone",
    )

    def __init__(
        self,
        template: BoundTemplate,
        customer: CustomerDrop,
        steps: int,
        now: datetime | None,
        *,
        blanks: list[Blank] | None = None,
        launch: LaunchValues,
        customer_zone: str | None,
    ) -> None:
        names = {"customer": customer, "event": launch.event, "campaign": launch.campaign}
        super().__init__(template, globals=names)
        self._customer = customer
        self.steps_left = steps
        self.now = now
        self.zone = launch.zone
        self.customer_zone = customer_zone or launch.zone
        self.blanks = blanks
        self._block_steps = 1

    def spend(self, steps: int) -> None:
        """Raises ResourceLimitError where the rendering has worked enough."""
        self.steps_left -= steps
        if self.steps_left < 0:
            message = f"takes more than {STEPS_MAX} steps: use fewer loops and filters"
            raise ResourceLimitError(message, token=None)

    def get(self, path: list[Any], *, token: Any, default: Any = UNDEFINED) -> Any:
        """The value of a path such as `customer.address.city`."""
        root = path[0]
        try:
            if root == "customer" and not self.locals and not self.loops:
                value: Any = self._customer  # nothing can be of that name besides
            else:
                value = self.scope[root]
            for name in path[1:]:
                kind = type(value)
                if kind is CustomerDrop or kind is dict:
                    value = value[str(name) if type(name) is int else name]
                else:
                    value = super().get_item(value, name)
        except (KeyError, TypeError, IndexError):
            return super().get(path, token=token, default=default)
        kind = type(value)
        if kind is str:
            if len(value) > CHARACTERS_A_STEP:
                check_size(value)
                self.spend(steps_of(value))
        elif kind is list or kind is dict:
            check_size(value)
            self.spend(steps_of(value))
        return value

    def get_item(self, obj: Any, key: Any) -> Any:
        """A member of a value. An object has those it was sent with, whatever they are called."""
        kind = type(obj)
        if kind is dict or kind is CustomerDrop:
            return obj[str(key) if type(key) is int else key]
        return super().get_item(obj, key)

    def filter(self, name: str, token: Any) -> Any:
        """The filter of that name, bound to this rendering."""
        run = self.env.filters.get(name)
        return super().filter(name, token) if run is None else partial(run, self)

    def get_buffer(self, buf: Any = None) -> Any:
        """Where a text is written; what is captured within counts as if it were printed."""
        return _Buffer(getattr(buf, "size", 0))

    def begin_loop(self, block_steps: int) -> None:
        """The loop that comes next takes so many steps a turn."""
        self._block_steps = block_steps

    def loop(self, namespace: Any, forloop: Any) -> Any:
        """Pays for every turn before the first."""
        self.spend(forloop.length * self._block_steps)
        return super().loop(namespace, forloop)


class _Buffer:
    """A text that grows to a limit."""

    __slots__ = ("parts", "size")

    def __init__(self, size: int) -> None:
        self.parts: list[str] = []
        self.size = size

    def write(self, text: str) -> int:
        self.parts.append(text)
        self.size += len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
        if self.size > OUTPUT_BYTES_MAX:
            raise OutputStreamLimitError(f"is longer than {OUTPUT_BYTES_MAX} bytes", token=None)
        return len(text)

    def getvalue(self) -> str:
        return "".join(self.parts)
