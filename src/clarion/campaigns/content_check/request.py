"""What somebody asks to be tried out: a content that is not saved, and for whom. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clarion.audiences import rule_parser
from clarion.audiences.rule import Everyone, Rule
from clarion.campaigns.content.language import language_tag
from clarion.campaigns.content.spec import ContentSpec, parse_content
from clarion.campaigns.content.templates.template import faults_of
from clarion.faults import Fault, Rejected, invalid

SAMPLE_DEFAULT = 200
SAMPLE_MAX = 1_000


class SeenBy(StrEnum):
    """For whom a content is shown where nobody is named."""

    RANDOM = "random"
    """Anybody whom the audience reaches; without one, anybody with a device."""
    NOBODY = "nobody"
    """Somebody of whom nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """A content, and for whom it is tried out."""

    content: ContentSpec
    audience: Rule
    has_audience: bool
    """Whether one was given; else it is everyone."""
    user_id: str | None = None
    seen_by: SeenBy = SeenBy.RANDOM
    language: str | None = None
    """A tag, in the place of the customer's own."""
    limit: int = SAMPLE_DEFAULT


def read_check_request(wire: Mapping[str, Any], *allowed: str) -> CheckRequest | Rejected:
    """The request in `wire`, or everything that is wrong with it. `content` may always stand there,
    and `audience`; the rest where it is `allowed`."""
    known = ("content", "audience", *allowed)
    faults = [
        Fault(str(name), f"is unknown; use {', '.join(known)}")
        for name in wire
        if name not in known
    ]
    values: dict[str, Any] = {}
    content = parse_content(wire.get("content"))
    faults += content if isinstance(content, list) else faults_of(content)
    audience: Rule | list[Fault] = Everyone()
    has_audience = wire.get("audience") is not None
    if has_audience:
        audience = rule_parser.parse_new(wire["audience"])
        faults += audience if isinstance(audience, list) else []
    for name in allowed:
        value = wire.get(name)
        if value is None:
            continue
        checked = _CHECKS[name](value)
        if isinstance(checked, Fault):
            faults.append(checked)
        else:
            values[name] = checked
    if faults or isinstance(content, list) or isinstance(audience, list):
        return invalid(*faults, code="invalid_campaign")
    return CheckRequest(content=content, audience=audience, has_audience=has_audience, **values)


def _user_id(value: Any) -> str | Fault:
    if isinstance(value, str) and value:
        return value
    return Fault("user_id", "must be a user id, or a customer's id")


def _seen_by(value: Any) -> SeenBy | Fault:
    try:
        return SeenBy(value)
    except ValueError:
        return Fault("seen_by", "must be random or nobody; for somebody give user_id")


def _language(value: Any) -> str | Fault:
    tag = language_tag(value) if isinstance(value, str) else None
    return tag or Fault("language", "must be a language tag, such as de or de-AT")


def _limit(value: Any) -> int | Fault:
    if type(value) is not int or not 1 <= value <= SAMPLE_MAX:
        return Fault("limit", f"must be a whole number from 1 to {SAMPLE_MAX}")
    return value


_CHECKS = {"user_id": _user_id, "seen_by": _seen_by, "language": _language, "limit": _limit}
