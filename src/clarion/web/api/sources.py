"""/sources: the apps that send events, each with its write key."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, patch, post
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission, Scope
from clarion.customers.profile.redaction import shown_text
from clarion.customers.profile.redaction_store import known_tokens
from clarion.deliveries.apps.store import get_app, only_app
from clarion.events.store import StoredRefusal, list_refusals
from clarion.sources import source
from clarion.sources.rate_limit import DEFAULT_LIMIT
from clarion.sources.rate_limit import Limit as Pace
from clarion.sources.store import (
    allow_origins,
    ask_for_signatures_from,
    bind_firebase_app,
    create_source,
    get_source,
    limit_source,
    list_sources,
    rename_source,
    restore_source,
    revoke_source,
)
from clarion.web.api.bodies import read, read_name
from clarion.web.api.errors import ApiError, ErrorCode, Fault, invalid, not_found
from clarion.web.api.gate import BODY, NEEDS, GivenCaller, GivenParts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_seq, page, whole
from clarion.web.api.source_wire import (
    RateLimit,
    Source,
    SourceId,
    after_days,
    read_limit,
    read_origins,
    shown,
)


class NewSource(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A source to make. Without `firebase_app_id` it is bound to the workspace's Firebase app, if
    there is exactly one. Without `rate_limit` each of its write keys may send 1,000 events a
    second, 20,000 at once; null: no limit."""

    name: str
    firebase_app_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    rate_limit: RateLimit | msgspec.UnsetType | None = msgspec.UNSET


class SourceChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be another. `firebase_app_id` null: reached through none; `allowed_origins` null
    or empty: pages of every origin may send; `rate_limit` null: no limit;
    `ask_for_signatures_after_days`: with an identity secret, 0: from now on."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    firebase_app_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    allowed_origins: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    rate_limit: RateLimit | msgspec.UnsetType | None = msgspec.UNSET
    ask_for_signatures_after_days: int | msgspec.UnsetType = msgspec.UNSET


_SHUTS_OUT = ("allowed_origins", "rate_limit", "ask_for_signatures_after_days")


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What of a call was refused, and why. `stage` call: the whole call was turned away; event: not
    kept; person: dropped, told once in ten minutes; registration: the event is kept, but registers
    no device; identity or advice: a warning, once an hour and source."""

    message_id: str | None
    stage: str
    code: str
    message: str
    received_at: Moment
    excerpt: str | None


class Sources(Controller):
    path = "/sources"
    tags = ("sources",)

    @post("", summary="Make a source", opt={BODY: NewSource})
    async def create(
        self, request: Request[Actor, Any, Any], parts: GivenParts, caller: GivenCaller
    ) -> Source:
        """A source with a write key of its own."""
        wanted = await read(request, NewSource)
        name = read_name(wanted.name)
        limit: Pace | None = DEFAULT_LIMIT
        if wanted.rate_limit is not msgspec.UNSET:
            limit = read_limit(wanted.rate_limit)
        async with parts.database.write() as connection:
            app_id = wanted.firebase_app_id
            if app_id is msgspec.UNSET:
                app = await only_app(connection, caller.workspace_id)
                app_id = None if app is None else app.id
            await _check_app(connection, caller, app_id)
            source = await create_source(
                connection,
                workspace_id=caller.workspace_id,
                name=name,
                source_id=parts.clock.new_id(),
                now=parts.clock.now(),
                firebase_app_id=app_id,
                limit=limit,
            )
        return shown(source, parts.clock.now(), caller)

    @get("", summary="List sources")
    async def list_all(self, parts: GivenParts, caller: GivenCaller) -> Page[Source]:
        """Every source, revoked ones too; always one page."""
        async with parts.database.read() as connection:
            found = await list_sources(connection, caller.workspace_id)
        return whole([shown(source, parts.clock.now(), caller) for source in found])

    @get("/{source_id:uuid}", summary="Show a source")
    async def show(self, parts: GivenParts, caller: GivenCaller, source_id: SourceId) -> Source:
        """A source with its write key."""
        async with parts.database.read() as connection:
            return shown(await _find(connection, caller, source_id), parts.clock.now(), caller)

    @patch("/{source_id:uuid}", summary="Change a source", opt={BODY: SourceChange})
    async def change(
        self,
        request: Request[Actor, Any, Any],
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
    ) -> Source:
        """Another name, another Firebase app through which its devices are reached; with the scope
        `admin`, since they can shut apps out: other origins that may send, another limit, when
        signatures are asked for. Running collectors know within seconds."""
        change = await read(request, SourceChange)
        _check_scope(change, caller)
        async with parts.database.write() as connection:
            await _find(connection, caller, source_id)
            if change.name is not msgspec.UNSET:
                name = read_name(change.name)
                await rename_source(connection, caller.workspace_id, source_id, name)
            app_id = change.firebase_app_id
            if app_id is not msgspec.UNSET:
                await _check_app(connection, caller, app_id)
                await bind_firebase_app(connection, caller.workspace_id, source_id, app_id)
            if change.allowed_origins is not msgspec.UNSET:
                origins = read_origins(change.allowed_origins or ())
                await allow_origins(connection, caller.workspace_id, source_id, origins)
            if change.rate_limit is not msgspec.UNSET:
                limit = read_limit(change.rate_limit)
                await limit_source(connection, caller.workspace_id, source_id, limit)
            if change.ask_for_signatures_after_days is not msgspec.UNSET:
                at = after_days(
                    change.ask_for_signatures_after_days,
                    "ask_for_signatures_after_days",
                    parts.clock.now(),
                )
                await ask_for_signatures_from(connection, caller.workspace_id, source_id, at)
            return shown(await _find(connection, caller, source_id), parts.clock.now(), caller)

    @post(
        "/{source_id:uuid}/revoke",
        summary="Revoke a source",
        opt={NEEDS: Scope.ADMIN},
        status_code=200,
    )
    async def revoke(self, parts: GivenParts, caller: GivenCaller, source_id: SourceId) -> Source:
        """Every write key of it is refused from now on; running collectors know within seconds.
        Revoking twice is once."""
        async with parts.database.write() as connection:
            source = await _find(connection, caller, source_id)
            if source.revoked_at is None:
                now = parts.clock.now()
                await revoke_source(connection, caller.workspace_id, source_id, now)
            return shown(await _find(connection, caller, source_id), parts.clock.now(), caller)

    @post(
        "/{source_id:uuid}/restore",
        summary="Restore a source",
        opt={NEEDS: Scope.ADMIN},
        status_code=200,
    )
    async def restore(self, parts: GivenParts, caller: GivenCaller, source_id: SourceId) -> Source:
        """A revoked source may send again, with each write key that is not retired."""
        async with parts.database.write() as connection:
            await _find(connection, caller, source_id)
            await restore_source(connection, caller.workspace_id, source_id)
            return shown(await _find(connection, caller, source_id), parts.clock.now(), caller)

    @get("/{source_id:uuid}/refusals", summary="List what was refused")
    async def refusals(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Refusal]:
        """What of this source was refused, with the reason and the cure; newest first."""
        async with parts.database.read() as connection:
            await _find(connection, caller, source_id)
            found = await list_refusals(
                connection,
                caller.workspace_id,
                source_id=source_id,
                before_seq=after_seq(cursor),
                limit=limit + 1,
            )
            excerpts = [one.excerpt for one in found if one.excerpt]
            known = await known_tokens(connection, caller.workspace_id, excerpts)
        return page(found, limit, lambda one: _shown_refusal(one, known), lambda one: one.seq)


async def _find(connection: AsyncConnection, caller: Actor, source_id: UUID) -> source.Source:
    source = await get_source(connection, caller.workspace_id, source_id)
    if source is None:
        raise not_found("source")
    return source


def _check_scope(change: SourceChange, caller: Actor) -> None:
    """Ends the call where it could shut apps out, and its API key may not."""
    wanted = [name for name in _SHUTS_OUT if getattr(change, name) is not msgspec.UNSET]
    if wanted and not caller.may(Permission.ADMIN):
        raise ApiError(
            ErrorCode.FORBIDDEN,
            f"To change {', '.join(wanted)} needs an API key with the scope admin.",
        )


async def _check_app(connection: AsyncConnection, caller: Actor, app_id: UUID | None) -> None:
    if app_id is not None and await get_app(connection, caller.workspace_id, app_id) is None:
        raise invalid(
            [
                Fault(
                    field="firebase_app_id",
                    message="is no Firebase app of this workspace: GET /firebase-apps lists them",
                )
            ]
        )


def _shown_refusal(refusal: StoredRefusal, known: Collection[str]) -> Refusal:
    return Refusal(
        message_id=refusal.message_id,
        stage=refusal.stage,
        code=refusal.code,
        message=refusal.message,
        received_at=refusal.received_at,
        excerpt=refusal.excerpt and shown_text(refusal.excerpt, known),
    )
