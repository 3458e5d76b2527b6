"""Sources as the API shows them."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import PathParameter

from clarion.clock import Moment
from clarion.sources.queries import KeyState
from clarion.sources.rate_limit import Limit, limit_of
from clarion.sources.source import KeyKind

SourceId = Annotated[UUID, PathParameter(description="The source's id.")]


class RateLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast each write key of a source may send, in each collector process: on average, and at
    once after a pause. Without `burst`: five seconds' worth."""

    events_per_second: int
    burst: int | None = None


class WriteKey(msgspec.Struct, frozen=True, kw_only=True):
    """One of a source's write keys; `write_key` null: an API key that may only look is not told it,
    and knows it by its end, `hint`. `state`: it stands, ends (it is valid, and is going to be
    refused) or is retired. `last_used_at` is known to the minute (of a retired one: when somebody
    last tried it); from `retires_at` on it is refused; null: it stands."""

    id: UUID
    kind: KeyKind
    write_key: str | None
    hint: str
    state: KeyState
    created_at: Moment
    last_used_at: Moment | None
    retires_at: Moment | None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An app that sends events. A write key is public: it can send, and nothing else. `write_key`
    is the one to put into apps, the newest that stands; null: an API key that may only look is not
    told it. Its devices are reached through its
    Firebase app; null: they are not reached. `allowed_origins` empty: pages of every origin may
    send. `signs_identity`: whether a userId needs its signature now to act for its person;
    `signatures_from`: with an identity secret it does from then on."""

    id: UUID
    name: str
    write_key: str | None
    firebase_app_id: UUID | None
    allowed_origins: tuple[str, ...]
    rate_limit: RateLimit | None
    signs_identity: bool
    signatures_from: Moment | None
    created_at: Moment
    revoked_at: Moment | None


def read_limit(limit: RateLimit | msgspec.UnsetType | None) -> Limit | msgspec.UnsetType | None:
    """The limit that is asked for, which the command checks."""
    if limit is None or limit is msgspec.UNSET:
        return limit
    return limit_of(limit.events_per_second, limit.burst)
