"""A condition over topics: `'a' in topics && ('b' in topics || 'c' in topics)`. Pure.

As FCM documents it: what is in brackets first, and then from left to right, so that neither of
`&&` and `||` comes before the other.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

TOPIC = re.compile(r"[a-zA-Z0-9\-_.~%]{1,900}")
DEPTH_MAX = 20

Test = Callable[[Collection[str]], bool]

_WORD = re.compile(r"\s*(?:(&&|\|\||[!()])|'([^']*)'\s+in\s+topics\b)")


@dataclass(frozen=True, slots=True)
class Condition:
    topics: tuple[str, ...]
    """Every topic that it names, as often as it does."""
    holds: Test
    """Whether it holds for whoever is subscribed to these topics."""


def read_condition(text: str) -> Condition | None:
    """None: it can not be read."""
    reader = _Reader(text)
    try:
        holds = reader.expression(0)
    except ValueError:
        return None
    return Condition(tuple(reader.topics), holds) if reader.is_done() else None


@dataclass
class _Reader:
    text: str
    at: int = 0
    topics: list[str] = field(default_factory=list)

    def expression(self, depth: int) -> Test:
        left = self._operand(depth)
        while (sign := self._next("&&", "||")) is not None:
            left = (
                _both(left, self._operand(depth))
                if sign == "&&"
                else _either(left, self._operand(depth))
            )
        return left

    def is_done(self) -> bool:
        return not self.text[self.at :].strip()

    def _operand(self, depth: int) -> Test:
        if depth > DEPTH_MAX:
            raise ValueError("too deep")
        if self._next("!") is not None:
            return _not(self._operand(depth + 1))
        if self._next("(") is not None:
            inner = self.expression(depth + 1)
            if self._next(")") is None:
                raise ValueError("a bracket is left open")
            return inner
        return self._topic()

    def _topic(self) -> Test:
        word = _WORD.match(self.text, self.at)
        if word is None or word[2] is None:
            raise ValueError("a topic is expected")
        name = word[2].removeprefix("/topics/")
        if not TOPIC.fullmatch(name):
            raise ValueError("no name of a topic")
        self.at = word.end()
        self.topics.append(name)
        return lambda topics: name in topics

    def _next(self, *signs: str) -> str | None:
        """Reads one of these signs, if it comes next."""
        word = _WORD.match(self.text, self.at)
        if word is None or word[1] not in signs:
            return None
        self.at = word.end()
        return word[1]


def _both(left: Test, right: Test) -> Test:
    return lambda topics: left(topics) and right(topics)


def _either(left: Test, right: Test) -> Test:
    return lambda topics: left(topics) or right(topics)


def _not(test: Test) -> Test:
    return lambda topics: not test(topics)
