"""What has to be known before events are taken in. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What every transaction that takes in events has to know before: what each messageId is known
    by (`hashes`); those that were `stored` already, with when they were received; the workspace's
    `salt` where it has people whose events are dropped; its `merges`, user id → the one it counts
    as; and the names of the events that launches wait for (`awaited`)."""

    hashes: Mapping[str, bytes]
    stored: Mapping[str, datetime]
    salt: bytes | None
    merges: Mapping[str, str]
    awaited: Collection[str] = frozenset()
