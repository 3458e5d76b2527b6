"""How much of a text is seen where a push is shown."""

import pytest

from clarion.campaigns.content.spec import Content
from clarion.campaigns.content.surfaces import SURFACES, Meter, Room, columns, measured, meters
from clarion.customers.devices.device import Platform


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("Hello", 5), ("é", 1), ("e\u0301", 1), ("こんにちは", 10), ("🎉", 2), ("a\nb", 2)],
)
def test_a_text_is_as_wide_as_it_is_seen(text: str, width: int) -> None:
    assert columns(text) == width


@pytest.mark.parametrize(
    ("text", "room", "lines", "is_cut"),
    [
        ("x" * 40, Room(characters=80, lines=2), 1, False),
        ("x" * 41, Room(characters=80, lines=2), 2, False),
        ("x" * 81, Room(characters=80, lines=2), 3, True),
        ("a\nb\nc", Room(characters=80, lines=2), 3, True),
        ("a\n\nc", Room(characters=120, lines=3), 3, False),
        ("x" * 500, Room(lines=1), 1, False),
        ("x" * 51, Room(characters=50), None, True),
        ("", Room(characters=50, lines=1), 0, False),
    ],
)
def test_what_does_not_fit_is_told(text: str, room: Room, lines: int | None, is_cut: bool) -> None:
    assert measured(text, room) == Meter(
        characters=columns(text),
        characters_max=room.characters,
        lines=lines,
        lines_max=room.lines,
        is_cut=is_cut,
    )


def test_a_picture_takes_room_of_the_body() -> None:
    body = "x" * 160
    (plain, *_) = meters(Content(title="a", body=body), Platform.IOS)
    (beside, *_) = meters(
        Content(title="a", body=body, image="https://example.com/a.png"), Platform.IOS
    )
    assert plain.surface == beside.surface == "ios_lock_screen"
    assert (plain.body.is_cut, beside.body.is_cut) == (False, True)


@pytest.mark.parametrize("platform", Platform)
def test_each_platform_has_its_surfaces_and_a_silent_push_none(platform: Platform) -> None:
    names = [meter.surface for meter in meters(Content(title="a"), platform)]
    assert names == [one.name for one in SURFACES if one.platform is platform] != []
    assert meters(Content(data={"a": "b"}), platform) == []
