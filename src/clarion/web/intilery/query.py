"""What a reading call asks for, out of its query and its path. Raises ReadRefused."""

import base64
import binascii
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qs

from clarion.events.action_store import Wanted
from clarion.events.messages.action import as_action
from clarion.events.messages.timestamps import parse_time
from clarion.impossible_date import why_impossible
from clarion.web.intilery.replies import ReadFault, ReadRefused

FROM_MAX = 10_000
SIZE_MAX = 100
FIELDS_MAX = 100
ACTIONS_MAX = 100


class IdType(StrEnum):
    """How a profile is named in a path: `userId:4711`."""

    USER_ID = "userId"
    EMAIL = "email"
    ID = "id"


class Part(StrEnum):
    """The part of a profile that a call asks for."""

    TRAITS = "traits"
    EVENTS = "events"
    META = "meta"
    METADATA = "metadata"


Query = dict[str, str]


def query_in(query_string: bytes) -> Query:
    """Each parameter's last value."""
    try:
        fields = parse_qs(query_string.decode("latin-1"), max_num_fields=FIELDS_MAX)
    except ValueError:
        raise ReadRefused(
            ReadFault.INVALID_REQUEST, f"A query has {FIELDS_MAX} parameters at most."
        ) from None
    return {name: values[-1] for name, values in fields.items()}


def wanted_events(query: Query) -> tuple[Wanted, int, int]:
    """(Which events, how many to skip, how many to tell)."""
    sort = query.get("sort", "desc").lower()
    if sort not in ("asc", "desc"):
        raise _invalid("sort must be asc or desc.")
    wanted = Wanted(
        include=_actions(query, "include"),
        exclude=_actions(query, "exclude"),
        start=_moment(query, "start"),
        end=_moment(query, "end"),
        oldest_first=sort == "asc",
    )
    skip = _number(query, "from", 0, FROM_MAX, 0)
    if skip and "scrollId" in query:
        raise _invalid("from and scrollId do not go together: a scrollId says where to begin.")
    return wanted, skip, _number(query, "size", 1, SIZE_MAX, SIZE_MAX)


def named_in(text: str) -> tuple[IdType, str]:
    """How and what `userId:4711` names."""
    kind, colon, name = text.partition(":")
    id_type_named = {id_type.value.lower(): id_type for id_type in IdType}.get(kind.lower())
    if not colon or id_type_named is None or not name:
        raise ReadRefused(
            ReadFault.INVALID_REQUEST,
            "A profile is named by userId:…, email:… or id:….",
        )
    return id_type_named, name


def part_in(text: str) -> Part:
    """What is asked of a profile."""
    try:
        return Part(text.lower())
    except ValueError:
        raise ReadRefused(
            ReadFault.NOT_FOUND, "A profile has traits, events, meta and metadata."
        ) from None


def scroll_id(key: bytes) -> str:
    """Where the next page begins, as the caller gives it back."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def scrolled_to(query: Query, length: int) -> bytes | None:
    """Where this page begins; None: at the first."""
    text = query.get("scrollId")
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        key = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != length:
        raise _invalid("scrollId must be the one of the page before.")
    return key


def _actions(query: Query, name: str) -> tuple[str, ...]:
    """Actions, or names of events; several with commas between."""
    actions = [action.strip() for action in query.get(name, "").split(",")]
    named = tuple(as_action(action) for action in actions if action and "\x00" not in action)
    if len(named) > ACTIONS_MAX:
        raise _invalid(f"{name} names {ACTIONS_MAX} actions at most.")
    return named


def _moment(query: Query, name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    # A plus that was not escaped has become a space.
    moment = parse_time(text) or parse_time(text.replace(" ", "+"))
    if moment is None or not 1 < moment.year < 9999:
        wrong = why_impossible(text) or "must be a time as in 2026-03-01T12:00:00Z"
        raise _invalid(f"{name} {wrong}.")
    return moment


def _number(query: Query, name: str, least: int, most: int, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if not least <= number <= most:
        raise _invalid(f"{name} must be a number from {least} to {most}.")
    return number


def _invalid(message: str) -> ReadRefused:
    return ReadRefused(ReadFault.VALIDATION, message)
