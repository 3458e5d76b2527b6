"""What is done with Firebase apps: their keys, pauses, limits, and removals in doubt."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, ActorKind, Permission
from clarion.accounts.audit import Thing, difference
from clarion.accounts.command import Run, Services, command, forbidden
from clarion.accounts.workspace import NAME_CHARACTERS_MAX
from clarion.campaigns.store import paused_campaigns
from clarion.deliveries.apps import store
from clarion.deliveries.apps.pacing import PER_MINUTE_MAX, PER_MINUTE_MIN, Limits
from clarion.deliveries.apps.quarantine_store import close_breaker, empty_quarantine
from clarion.deliveries.apps.queries import FirebaseApp, get_app
from clarion.deliveries.commands import chunk_jobs, resume_within
from clarion.deliveries.planning.chunk_store import hasten_app
from clarion.deliveries.provider import KeyReader
from clarion.faults import Fault, Rejected, invalid, not_found
from clarion.sources.source import Source
from clarion.sources.store import bind_firebase_app, list_sources

PAUSED_BY_PERSON = "by a person"
Change = Callable[[FirebaseApp], Awaitable[None]]
_AUDITED = ("paused_reason", "tries_again_at", "pushes_per_minute", "avoid_peaks")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedApp:
    """A Firebase app whose key was just stored. `sources`: all that send through it; `bound`: those
    of them that are bound to it since now."""

    app: FirebaseApp
    sources: Sequence[Source]
    bound: Sequence[UUID]


@command("firebase_app.set_key", needs=Permission.ADMIN)
async def set_app_key(
    run: Run, actor: Actor, file: bytes, read_key: KeyReader, source_ids: Sequence[UUID] = ()
) -> KeyedApp | Rejected:
    """Add the Firebase app of that project, or replace its key, which also ends its pause. `file`:
    its key, which is checked and sealed. `source_ids` are bound to it; without any, a workspace's
    only Firebase app takes every source that has none."""
    key = read_key(file, may_be_simulated=actor.kind is ActorKind.OPERATOR)
    if isinstance(key, list):
        return invalid(*key, code="invalid_credentials")
    connection, workspace_id = run.connection, actor.workspace_id
    app = await store.put_app(
        connection,
        workspace_id=workspace_id,
        app_id=run.new_id(),
        project_id=key["project_id"],
        client_email=key["client_email"],
        private_key_id=key.get("private_key_id"),
        sealed_key=run.vault.seal(msgspec.json.encode(dict(key))),
        now=run.now,
    )
    for source_id in source_ids:
        if not await bind_firebase_app(connection, workspace_id, source_id, app.id):
            return not_found("source")
    bound = list(source_ids)
    if not source_ids:
        bound = [source.id for source in await store.bind_first_app(connection, app)]
    await _release_held(run, app.id)
    changes = {name: getattr(app, name) for name in ("project_id", "client_email")}
    changes |= {"private_key_id": app.private_key_id, "replaced_at": app.replaced_at}
    run.audit(_thing(app.id), changes | {"bound_source_ids": bound})
    sources = await list_sources(connection, workspace_id)
    shown = await get_app(connection, actor, app.id)
    assert not isinstance(shown, Rejected)  # it was put in this transaction
    return KeyedApp(
        app=shown,
        sources=[source for source in sources if source.firebase_app_id == app.id],
        bound=bound,
    )


@command("firebase_app.change", needs=Permission.ADMIN)
async def change_app(
    run: Run,
    actor: Actor,
    app_id: UUID,
    *,
    pushes_per_minute: int | None = None,
    avoid_peaks: bool | None = None,
) -> FirebaseApp | Rejected:
    """Change how fast pushes leave through it; None: it stays as it is."""
    if pushes_per_minute is not None and not PER_MINUTE_MIN <= pushes_per_minute <= PER_MINUTE_MAX:
        message = f"must be from {PER_MINUTE_MIN} to {PER_MINUTE_MAX}"
        return invalid(Fault("pushes_per_minute", message))

    async def change(app: FirebaseApp) -> None:
        limits = Limits(
            per_minute=app.pushes_per_minute if pushes_per_minute is None else pushes_per_minute,
            avoids_peaks=app.avoid_peaks if avoid_peaks is None else avoid_peaks,
        )
        await store.set_limits(run.connection, actor.workspace_id, app_id, limits)

    return await _change(run, actor, app_id, change)


@command("firebase_app.pause", needs=Permission.PUBLISH)
async def pause_app(
    run: Run, actor: Actor, app_id: UUID, reason: str = PAUSED_BY_PERSON
) -> FirebaseApp | Rejected:
    """Send nothing through it until it is resumed. What a person has paused keeps its reason."""
    reason = reason.strip() or PAUSED_BY_PERSON
    if len(reason) > NAME_CHARACTERS_MAX:
        return invalid(Fault("reason", f"may have {NAME_CHARACTERS_MAX} characters at most"))

    async def pause(before: FirebaseApp) -> None:
        await store.pause_app(run.connection, app_id, reason, now=run.now)

    return await _change(run, actor, app_id, pause)


@command("firebase_app.resume", needs=Permission.PUBLISH)
async def resume_app(run: Run, actor: Actor, app_id: UUID) -> FirebaseApp | Rejected:
    """Send through it again. What was held goes out at once."""

    async def resume(before: FirebaseApp) -> None:
        await store.resume_app(run.connection, actor.workspace_id, app_id)
        await _release_held(run, app_id)

    return await _change(run, actor, app_id, resume)


@command("firebase_app.delete", needs=Permission.ADMIN)
async def delete_app(run: Run, actor: Actor, app_id: UUID) -> FirebaseApp | Rejected:
    """Forget it with its key. Its sources are bound to none, and what is still to be sent through
    it is skipped."""
    app = await get_app(run.connection, actor, app_id)
    if isinstance(app, Rejected):
        return app
    await store.delete_app(run.connection, actor.workspace_id, app_id)
    run.audit(_thing(app_id), {"project_id": app.project_id})
    return app


async def decide_removals(
    services: Services, actor: Actor, app_id: UUID, *, remove: bool
) -> FirebaseApp | Rejected:
    """A person has decided about the registrations in quarantine: the provider is right, so they
    are removed, or it is not, so they are kept. The campaigns that waited for that go on.

    They may be many, so they are taken page by page, each in a transaction of its own, before the
    command that concludes it: where this is cut off, it is asked for again.
    """
    if not actor.may(Permission.PUBLISH):
        return forbidden(Permission.PUBLISH)
    async with services.database.read() as connection:
        app = await get_app(connection, actor, app_id)
    if isinstance(app, Rejected):
        return app

    async def take_page(connection: AsyncConnection) -> int:
        return await empty_quarantine(connection, app_id, remove=remove)

    count = 0
    while page := await services.database.transact(take_page, services.clock):
        count += page
    return await _conclude(services, actor, app_id, remove=remove, count=count)


@command("firebase_app.decide_removals", needs=Permission.PUBLISH)
async def _conclude(
    run: Run, actor: Actor, app_id: UUID, *, remove: bool, count: int
) -> FirebaseApp | Rejected:
    """Believe the provider again. `count`: the registrations that were taken already."""
    while page := await empty_quarantine(run.connection, app_id, remove=remove):
        count += page
    reason = await close_breaker(run.connection, app_id, was_right=remove)
    resumed = []
    if reason is not None:
        for campaign_id in await paused_campaigns(run.connection, actor.workspace_id, reason):
            transition = await resume_within(run, actor.workspace_id, campaign_id)
            if not isinstance(transition, Rejected):
                resumed.append(campaign_id)
    changes: dict[str, Any] = {"decision": "remove" if remove else "keep", "registrations": count}
    run.audit(_thing(app_id), changes | {"resumed_campaign_ids": resumed})
    return await get_app(run.connection, actor, app_id)


async def _change(run: Run, actor: Actor, app_id: UUID, change: Change) -> FirebaseApp | Rejected:
    before = await get_app(run.connection, actor, app_id)
    if isinstance(before, Rejected):
        return before
    await change(before)
    after = await get_app(run.connection, actor, app_id)
    if not isinstance(after, Rejected):
        changes = difference(asdict(before), asdict(after))
        run.audit(_thing(app_id), {name: changes[name] for name in _AUDITED if name in changes})
    return after


async def _release_held(run: Run, app_id: UUID) -> None:
    """What was held for an app that sends again is due now."""
    due = await hasten_app(run.connection, app_id, run.now, by_itself=False)
    run.after_commit(*chunk_jobs(due))


def _thing(app_id: UUID) -> Thing:
    return Thing("firebase_app", app_id)
