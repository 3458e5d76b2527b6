"""What the console works with: one for a process, found by handlers in a call's scope."""

from dataclasses import dataclass
from typing import Any

from clarion.accounts.command import Services
from clarion.accounts.people.passwords import PasswordHasher
from clarion.campaigns.draft import ContentCheck
from clarion.deliveries.practice import PracticePhone
from clarion.deliveries.provider import TryingProvider

PARTS = "clarion_parts"
"""Where a call's ASGI scope has its Parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What handlers work with."""

    services: Services
    hasher: PasswordHasher
    provider: TryingProvider
    """Whoever carries pushes."""
    phone: PracticePhone | None
    """None: there is none in this process."""
    fcm_url: str | None
    """Where pushes go: a simulator there may be where access tokens come from, too."""
    public_url: str | None
    """Where apps reach this installation; None: where the browser does."""

    @property
    def check(self) -> ContentCheck:
        """What the provider would refuse in a content."""
        return self.provider.check


def parts_in(scope: Any) -> Parts:
    """Of the call with this scope."""
    parts = scope.get(PARTS)
    assert isinstance(parts, Parts)
    return parts
