"""What a push says: the marketer's words, checked when saved, and rendered for one customer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Priority(StrEnum):
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentFault:
    """A field of the content that can not be sent, why, and what to do."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one push says, rendered for one customer and one platform. Texts are final."""

    title: str | None = None
    body: str | None = None
    image: str | None = None
    link: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    ttl_seconds: int = 259_200
    priority: Priority = Priority.HIGH
    collapse_key: str | None = None
