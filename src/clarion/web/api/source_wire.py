"""Sources as the API shows them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import PathParameter

from clarion.accounts.actor import Actor, Permission
from clarion.sources import rate_limit as limit
from clarion.sources import source
from clarion.sources.rate_limit import BURST_SECONDS, PER_SECOND_MAX
from clarion.sources.source import ORIGINS_MAX, read_origin
from clarion.web.api.errors import Fault, invalid
from clarion.web.api.moment import Moment

DAYS_MAX = 3_650
HINT_CHARACTERS = 4

SourceId = Annotated[UUID, PathParameter(description="The source's id.")]


class RateLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast each write key of a source may send, in each collector process: on average, and at
    once after a pause. Without `burst`: five seconds' worth."""

    events_per_second: int
    burst: int | None = None


class WriteKey(msgspec.Struct, frozen=True, kw_only=True):
    """One of a source's write keys; `write_key` null: an API key that may only look is not told it,
    and knows it by its end, `hint`. `last_used_at` is known to the minute (of a retired one: when
    somebody last tried it); from `retires_at` on it is refused; null: it stands."""

    id: UUID
    write_key: str | None
    hint: str
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


def shown(found: source.Source, now: datetime, caller: Actor) -> Source:
    """A source as it goes over the wire to this caller."""
    return Source(
        id=found.id,
        name=found.name,
        write_key=found.write_key if caller.may(Permission.WRITE) else None,
        firebase_app_id=found.firebase_app_id,
        allowed_origins=found.allowed_origins,
        rate_limit=None
        if found.limit is None
        else RateLimit(events_per_second=found.limit.events_per_second, burst=found.limit.burst),
        signatures_from=found.signatures_from,
        signs_identity=found.asks_for_signatures(now),
        created_at=found.created_at,
        revoked_at=found.revoked_at,
    )


def shown_key(key: source.WriteKey, caller: Actor) -> WriteKey:
    """A write key as it goes over the wire to this caller."""
    return WriteKey(
        id=key.id,
        write_key=key.write_key if caller.may(Permission.WRITE) else None,
        hint=f"…{key.write_key[-HINT_CHARACTERS:]}",
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        retires_at=key.retires_at,
    )


def read_limit(wanted: RateLimit | None) -> limit.Limit | None:
    """The limit that is asked for. Ends the call where it can not be."""
    if wanted is None:
        return None
    burst = wanted.events_per_second * BURST_SECONDS if wanted.burst is None else wanted.burst
    named = {"events_per_second": wanted.events_per_second, "burst": burst}
    top = {"events_per_second": PER_SECOND_MAX, "burst": PER_SECOND_MAX * BURST_SECONDS}
    faults = [
        Fault(field=f"rate_limit.{name}", message=f"must be a number from 1 to {top[name]}")
        for name, value in named.items()
        if not 1 <= value <= top[name]
    ]
    if faults:
        raise invalid(faults)
    return limit.Limit(events_per_second=wanted.events_per_second, burst=burst)


def after_days(days: int, field: str, now: datetime) -> datetime:
    """So many days from now. Ends the call where it is no such number."""
    if not 0 <= days <= DAYS_MAX:
        raise invalid([Fault(field=field, message=f"must be a number from 0 to {DAYS_MAX}")])
    return now + timedelta(days=days)


def read_origins(wanted: Sequence[str]) -> list[str]:
    """The origins that are asked for, each once. Ends the call where one is none."""
    read = [read_origin(one) for one in wanted]
    faults = [
        Fault(
            field=f"allowed_origins[{place}]",
            message="must be an origin such as https://shop.example or https://*.shop.example",
        )
        for place, one in enumerate(read)
        if one is None
    ]
    if len(wanted) > ORIGINS_MAX:
        faults = [Fault(field="allowed_origins", message=f"may hold {ORIGINS_MAX} at most")]
    if faults:
        raise invalid(faults)
    return list(dict.fromkeys(one for one in read if one is not None))
