"""Whether it is known that an event speaks for the person it names. Pure."""

from enum import StrEnum


class Proof(StrEnum):
    """Of an event's userId, where its source asks for signatures.

    Only what is proven may say what an id is: anybody could call a person's id a device's, and the
    person would lose what is theirs.
    """

    PROVEN = "proven"
    """Signed: the app's own server says that this is that person."""
    UNPROVEN = "unproven"
    """Not signed: kept as what that person did, but it claims, moves and teaches nothing."""
    NOBODY = "nobody"
    """It names no person."""
    DEVICE = "device"
    """No person's id, but the event's own device id: it speaks for that installation alone."""
