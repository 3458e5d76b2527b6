"""How much of a title and a body is seen where a push is shown. Pure.

Nothing here is exact: the size of the type, the width of a screen and wide letters change it. So
lines count first, and characters are "about". A text is measured in columns: a letter of Chinese or
Japanese, and an emoji, is as wide as two of Latin; a mark that is written over another counts
nothing.

Sources: Braze's guides (`ios/rich_notifications`, `message_format`), the limits in Apple's and
Firebase's guides to pictures, and MDN's browser-compat-data 8.1.9 for who shows a picture. Where
none is known there is None.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from clarion.campaigns.content.spec import Content
from clarion.customers.devices.device import Platform

_MARKS = frozenset({"Mn", "Me", "Cf", "Sk"})
"""Categories of what takes no room: marks over letters, joiners, tones of an emoji's skin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What fits. None: nobody has published it."""

    characters: int | None = None
    lines: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A place where a push is shown. `body_beside_picture`: what is left of the body's room there
    is a picture; None: as much."""

    name: str
    platform: Platform
    title: Room
    body: Room
    body_beside_picture: Room | None = None
    shows_picture: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """How a text fills its room. `is_cut`: about here some of it is not seen."""

    characters: int
    characters_max: int | None
    lines: int | None
    lines_max: int | None
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceMeters:
    """How a push fills one surface."""

    surface: str
    title: Meter
    body: Meter
    shows_picture: bool


_IOS, _ANDROID, _WEB = Platform.IOS, Platform.ANDROID, Platform.WEB
SURFACES: Sequence[Surface] = (
    Surface(
        # The title shares its line with the time: 35 at "now", 22 at "Yesterday, 8:37 AM".
        name="ios_lock_screen",
        platform=_IOS,
        title=Room(characters=22, lines=1),
        body=Room(characters=179, lines=4),
        body_beside_picture=Room(characters=154, lines=4),
    ),
    Surface(
        name="ios_expanded",
        platform=_IOS,
        title=Room(characters=35, lines=1),
        body=Room(characters=313, lines=7),  # seven lines of what the lock screen has
    ),
    Surface(
        name="ios_banner",
        platform=_IOS,
        title=Room(characters=35, lines=1),
        body=Room(characters=80, lines=2),
        body_beside_picture=Room(characters=65, lines=2),
    ),
    Surface(
        name="android_collapsed",
        platform=_ANDROID,
        title=Room(lines=1),
        body=Room(characters=49, lines=1),
    ),
    Surface(
        name="android_expanded",
        platform=_ANDROID,
        title=Room(lines=2),
        body=Room(characters=597),
    ),
    Surface(
        name="chrome_windows",  # Edge and Opera, too
        platform=_WEB,
        title=Room(characters=50),
        body=Room(characters=120),
    ),
    Surface(
        name="firefox_windows",
        platform=_WEB,
        title=Room(characters=54),
        body=Room(characters=200),
        shows_picture=False,
    ),
    Surface(
        name="chrome_android",
        platform=_WEB,
        title=Room(characters=35),
        body=Room(characters=50),
    ),
    Surface(
        name="chrome_macos",
        platform=_WEB,
        title=Room(characters=35),
        body=Room(characters=50),
        shows_picture=False,
    ),
    Surface(
        name="safari_macos",
        platform=_WEB,
        title=Room(characters=38),
        body=Room(characters=84),
        shows_picture=False,
    ),
    Surface(
        name="firefox_macos",
        platform=_WEB,
        title=Room(characters=38),
        body=Room(characters=42),
        shows_picture=False,
    ),
)


def meters(content: Content, platform: Platform) -> list[SurfaceMeters]:
    """How a rendered content fills each surface of its platform; none where it shows nothing."""
    if content.is_silent:
        return []
    return [
        SurfaceMeters(
            surface=surface.name,
            title=measured(content.title or "", surface.title),
            body=measured(content.body or "", _body_room(surface, content)),
            shows_picture=surface.shows_picture,
        )
        for surface in SURFACES
        if surface.platform is platform
    ]


def measured(text: str, room: Room) -> Meter:
    """How a text fills a room."""
    width = columns(text)
    lines = None
    if room.lines is not None:
        a_line = None if room.characters is None else room.characters / room.lines
        lines = sum(_lines(part, a_line) for part in text.splitlines())
    is_cut = (room.characters is not None and width > room.characters) or (
        lines is not None and room.lines is not None and lines > room.lines
    )
    return Meter(
        characters=width,
        characters_max=room.characters,
        lines=lines,
        lines_max=room.lines,
        is_cut=is_cut,
    )


def split(text: str, room: Room) -> tuple[str, str]:
    """A text in two: what is seen of it, about, and what is cut off."""
    a_line = None
    if room.characters is not None and room.lines is not None:
        a_line = room.characters / room.lines
    lines, width, of_line = 1, 0, 0
    for place, letter in enumerate(text):
        if letter == "\n":
            lines, of_line = lines + 1, 0
        elif takes := columns(letter):
            width, of_line = width + takes, of_line + takes
            if a_line is not None and of_line > a_line:
                lines, of_line = lines + 1, takes
        is_full = room.characters is not None and width > room.characters
        if is_full or (room.lines is not None and lines > room.lines):
            return text[:place], text[place:]
    return text, ""


def columns(text: str) -> int:
    """How wide a text is, in Latin letters."""
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
        if unicodedata.category(letter) not in _MARKS and letter not in "\r\n"
    )


def _lines(part: str, a_line: float | None) -> int:
    return 1 if a_line is None else max(1, math.ceil(columns(part) / a_line))


def _body_room(surface: Surface, content: Content) -> Room:
    beside = surface.body_beside_picture
    return surface.body if beside is None or not content.image else beside
