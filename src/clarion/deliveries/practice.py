"""The practice phone: a simulated Firebase project beside real ones, so that a first push is seen
before there is a key; and the contract with whoever runs it. Pure.

Its project has an id that no Firebase project can have, since a dot comes only before a colon
there. Its app is like any other, but that nothing is bound to it by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

PRACTICE_PROJECT = "clarion.practice"


class PhoneUnavailable(Exception):
    """The practice phone does not start; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPush:
    """A push as the practice phone shows it; `number` counts them. Texts empty: it has none."""

    number: int
    at: datetime
    title: str
    body: str
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneAddress:
    """Where the practice phone's FCM answers, the authority to trust there, and its key."""

    url: str
    ca_file: str
    key: Mapping[str, str]


class PracticePhone(Protocol):
    """Who runs a simulated FCM on this machine, beside this process."""

    async def start(self) -> PhoneAddress:
        """Runs it, if it does not run yet. Raises PhoneUnavailable."""

    async def pushes(self) -> Sequence[ShownPush]:
        """What it shows, the newest first; nothing while it does not run."""

    async def stop(self) -> None: ...
