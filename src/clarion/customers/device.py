"""A device: an installation that can be reached, and the rules of its registration (R6, R8)."""

from enum import StrEnum
from hashlib import sha256

FINGERPRINT_CHARACTERS = 12


class Platform(StrEnum):
    """What kind of installation a device is; the values are those of `deviceType` on the wire."""

    IOS = "iOS"
    ANDROID = "Android"
    WEB = "Web"


class TokenKind(StrEnum):
    """What the registration is addressed by."""

    FCM = "fcm"
    """An FCM registration token."""
    FID = "fid"
    """A Firebase installation id."""
    APNS = "apns"
    """A bare APNs token: kept, never sent to FCM."""


def token_hash(token: str) -> str:
    """The one way a token is compared and shown: SHA-256 in hex. Its first
    `FINGERPRINT_CHARACTERS` are the fingerprint people see."""
    return sha256(token.encode()).hexdigest()
