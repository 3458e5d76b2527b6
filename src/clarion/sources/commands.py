"""What is done with sources and their keys.

A new key is made while the former stay valid; the former are retired once nobody uses them any
more; what was retired by mistake is restored. Write keys and identity secrets alike.

Making and changing a source may name a Firebase app, so they are further down the data's way:
`deliveries/apps/source_commands.py`.
"""

import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing, difference
from clarion.accounts.command import Run, command
from clarion.faults import Fault, Rejected, invalid, not_found
from clarion.sources.key_store import add_identity_secret, add_write_key, retire_keys
from clarion.sources.queries import KeyView, SourceView, key_view, source_view
from clarion.sources.source import VALID_KEYS_MAX, Key, KeyKind, Source, is_full, is_last
from clarion.sources.store import get_source, save_source

DAYS_MAX = 3_650
IDENTITY_SECRET_PREFIX = "cis_"  # noqa: S105 - what one begins with
IDENTITY_SECRET_BYTES = 32

_FULL = Rejected(
    "source_keys",
    f"The source has {VALID_KEYS_MAX} valid ones already: retire one that nobody uses.",
)
_LAST = {
    KeyKind.WRITE_KEY: Rejected(
        "source_keys", "It is the last write key that stands: rotate first, or revoke the source."
    ),
    KeyKind.IDENTITY_SECRET: Rejected(
        "source_keys",
        "It is the last identity secret that stands, and without one userIds are taken at "
        "their word: make another first, or ask for no signatures.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIdentitySecret:
    """An identity secret that was just made, and its text: the only time that it is known."""

    key: KeyView
    secret: str = field(repr=False)


@command("source.revoke", needs=Permission.ADMIN)
async def revoke_source(run: Run, actor: Actor, source_id: UUID) -> SourceView | Rejected:
    """Refuse every write key of a source from now on. Revoking twice is once."""
    source = await lock_source(run, actor, source_id)
    if isinstance(source, Rejected):
        return source
    return await save_changes(
        run, actor, source, replace(source, revoked_at=source.revoked_at or run.now)
    )


@command("source.restore", needs=Permission.ADMIN)
async def restore_source(run: Run, actor: Actor, source_id: UUID) -> SourceView | Rejected:
    """A revoked source may send again, with each write key that is not retired."""
    source = await lock_source(run, actor, source_id)
    if isinstance(source, Rejected):
        return source
    return await save_changes(run, actor, source, replace(source, revoked_at=None))


@command("write_key.rotate", needs=Permission.ADMIN)
async def rotate_write_key(
    run: Run, actor: Actor, source_id: UUID, *, retire_former_after_days: int | None = None
) -> KeyView | Rejected:
    """Make another write key. The former end after so many days; None: when a person says so."""
    ends = _perhaps_from(run.now, retire_former_after_days, "retire_former_after_days")
    if isinstance(ends, Fault):
        return invalid(ends)
    source = await lock_source(run, actor, source_id)
    if isinstance(source, Rejected):
        return source
    if is_full(source.write_keys, run.now):
        return _FULL
    await _end_former(run, source, KeyKind.WRITE_KEY, ends)
    key = await add_write_key(
        run.connection,
        workspace_id=actor.workspace_id,
        source_id=source_id,
        key_id=run.new_id(),
        now=run.now,
    )
    run.audit(Thing("write_key", key.id), {"source": source_id, "former_retire_at": ends})
    return key_view(key, actor, run.now)


@command("identity_secret.create", needs=Permission.ADMIN)
async def create_identity_secret(
    run: Run,
    actor: Actor,
    source_id: UUID,
    *,
    retire_former_after_days: int | None = None,
    ask_after_days: int | None = None,
) -> NewIdentitySecret | Rejected:
    """Make another identity secret. `ask_after_days`: from when on signatures are asked for; None:
    as before, or from now on if nothing could sign before."""
    ends = _perhaps_from(run.now, retire_former_after_days, "retire_former_after_days")
    ask_at = _perhaps_from(run.now, ask_after_days, "ask_after_days")
    if isinstance(ends, Fault) or isinstance(ask_at, Fault):
        return invalid(*(moment for moment in (ends, ask_at) if isinstance(moment, Fault)))
    source = await lock_source(run, actor, source_id)
    if isinstance(source, Rejected):
        return source
    if is_full(source.identity_secrets, run.now):
        return _FULL
    if ask_at is None and not any(key.is_valid(run.now) for key in source.identity_secrets):
        ask_at = run.now
    if ask_at is not None:
        await save_source(run.connection, replace(source, signatures_from=ask_at))
    await _end_former(run, source, KeyKind.IDENTITY_SECRET, ends)
    text = IDENTITY_SECRET_PREFIX + secrets.token_urlsafe(IDENTITY_SECRET_BYTES)
    key = await add_identity_secret(
        run.connection,
        workspace_id=actor.workspace_id,
        source_id=source_id,
        secret_id=run.new_id(),
        sealed_secret=run.vault.seal(text.encode()),
        now=run.now,
    )
    run.audit(
        Thing("identity_secret", key.id),
        {"source": source_id, "former_retire_at": ends, "ask_at": ask_at},
    )
    return NewIdentitySecret(key=key_view(key, actor, run.now), secret=text)


@command("identity_secret.retire_all", needs=Permission.ADMIN)
async def retire_identity_secrets(run: Run, actor: Actor, source_id: UUID) -> SourceView | Rejected:
    """Ask for no signatures any more: every secret that has not ended ends now."""
    source = await lock_source(run, actor, source_id)
    if isinstance(source, Rejected):
        return source
    valid = {key.id for key in source.identity_secrets if key.is_valid(run.now)}
    await retire_keys(run.connection, KeyKind.IDENTITY_SECRET, valid, run.now)
    run.audit(Thing("source", source_id), {"retired": sorted(valid)})
    after = tuple(
        replace(key, retires_at=run.now) if key.id in valid else key
        for key in source.identity_secrets
    )
    return source_view(replace(source, identity_secrets=after), actor, run.now)


@command("source_key.retire", needs=Permission.ADMIN)
async def retire_key(
    run: Run, actor: Actor, source_id: UUID, kind: KeyKind, key_id: UUID, *, days: int = 0
) -> KeyView | Rejected:
    """Retires a key in `days` days, 0: now. A key that is retired already is not changed."""
    at = _perhaps_from(run.now, days, "after_days")
    if isinstance(at, Fault):
        return invalid(at)
    source = await lock_source(run, actor, source_id)
    if isinstance(source, Rejected):
        return source
    before = source.key(kind, key_id)
    if before is None:
        return not_found("key")
    if not before.is_valid(run.now):
        at = before.retires_at
    elif is_last(source.keys_of(kind), key_id):
        return _LAST[kind]
    return await _end_key(run, actor, source, kind, before, at)


@command("source_key.restore", needs=Permission.ADMIN)
async def restore_key(
    run: Run, actor: Actor, source_id: UUID, kind: KeyKind, key_id: UUID
) -> KeyView | Rejected:
    """Take a key again, whether it has ended or was to end."""
    source = await lock_source(run, actor, source_id)
    if isinstance(source, Rejected):
        return source
    before = source.key(kind, key_id)
    if before is None:
        return not_found("key")
    if not before.is_valid(run.now) and is_full(source.keys_of(kind), run.now):
        return _FULL
    return await _end_key(run, actor, source, kind, before, None)


async def lock_source(run: Run, actor: Actor, source_id: UUID) -> Source | Rejected:
    """Reads the source and locks its row until this transaction ends."""
    source = await get_source(run.connection, actor.workspace_id, source_id, lock=True)
    return source or not_found("source")


async def save_changes(run: Run, actor: Actor, before: Source, after: Source) -> SourceView:
    """Write what became different of a source, and the audit entry of that."""
    await save_source(run.connection, after)
    run.audit(Thing("source", after.id), difference(_changeable(before), _changeable(after)))
    return source_view(after, actor, run.now)


def days_from(now: datetime, days: int, field: str) -> datetime | Fault:
    """So many days from now."""
    if not 0 <= days <= DAYS_MAX:
        return Fault(field, f"must be a number from 0 to {DAYS_MAX}")
    return now + timedelta(days=days)


def _perhaps_from(now: datetime, days: int | None, field: str) -> datetime | Fault | None:
    return None if days is None else days_from(now, days, field)


async def _end_former(run: Run, source: Source, kind: KeyKind, at: datetime | None) -> None:
    """Those that stand; what was to end sooner still does."""
    if at is not None:
        standing = [key.id for key in source.keys_of(kind) if key.retires_at is None]
        await retire_keys(run.connection, kind, standing, at)


async def _end_key(
    run: Run, actor: Actor, source: Source, kind: KeyKind, before: Key, at: datetime | None
) -> KeyView:
    await retire_keys(run.connection, kind, [before.id], at)
    changes = difference({"retires_at": before.retires_at}, {"retires_at": at})
    run.audit(Thing(kind.value, before.id), {"source": source.id, **changes})
    return key_view(replace(before, retires_at=at), actor, run.now)


def _changeable(source: Source) -> dict[str, Any]:
    limit = source.limit
    return {
        "name": source.name,
        "firebase_app_id": source.firebase_app_id,
        "allowed_origins": list(source.allowed_origins),
        "rate_limit": limit and asdict(limit),
        "signatures_from": source.signatures_from,
        "revoked_at": source.revoked_at,
    }
