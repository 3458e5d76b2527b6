"""How much of a push each place shows. Pure.

Never exact: fonts, widths and scripts differ, so all of it is said with "about". The figures are
of Braze's documentation on rich notifications and message formats and of MDN's browser data.
"""

from dataclasses import dataclass
from enum import StrEnum

from clarion.campaigns.content.spec import Content
from clarion.customers.devices.device import Platform


class Part(StrEnum):
    TITLE = "title"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Limit:
    """Of a text of `part`, `place` shows about so many characters."""

    platform: Platform
    place: str
    part: Part
    characters: int


LIMITS = (
    # Braze, iOS rich notifications: one line beside "Yesterday, 8:37 AM"; four lines of text.
    Limit(Platform.IOS, "iOS", Part.TITLE, 22),
    Limit(Platform.IOS, "iOS", Part.BODY, 179),
    # Braze, Android: what is left of one line on a lock screen; 597 when it is opened.
    Limit(Platform.ANDROID, "Android, collapsed", Part.BODY, 49),
    Limit(Platform.ANDROID, "Android, opened", Part.BODY, 597),
    # Braze, web push: Chrome on Windows, and Chrome on macOS, which shows least.
    Limit(Platform.WEB, "Chrome on Windows", Part.TITLE, 50),
    Limit(Platform.WEB, "Chrome on Windows", Part.BODY, 120),
    Limit(Platform.WEB, "Chrome on macOS", Part.TITLE, 35),
    Limit(Platform.WEB, "Chrome on macOS", Part.BODY, 50),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a text is, and how much of it a place shows."""

    place: str
    part: Part
    length: int
    shown: int

    @property
    def is_cut(self) -> bool:
        return self.length > self.shown


def measured(content: Content, platform: Platform) -> list[Measured]:
    """The texts of a rendered push against each place of its platform."""
    found = []
    for limit in LIMITS:
        text = getattr(content, limit.part.value)
        if limit.platform is platform and text:
            found.append(Measured(limit.place, limit.part, len(text), limit.characters))
    return found
