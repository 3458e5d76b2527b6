"""/sources: the apps that send events, each with its write key."""

from uuid import UUID

import msgspec
from litestar import Controller, get, patch, post

from clarion.accounts.actor import Scope
from clarion.clock import Moment
from clarion.customers.queries import list_refusals
from clarion.deliveries.apps.source_commands import change_source, create_source
from clarion.sources.commands import restore_source, revoke_source
from clarion.sources.queries import get_source, list_sources
from clarion.web.api.bodies import read
from clarion.web.api.gate import BODY, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_seq, page, whole
from clarion.web.api.shown import shown
from clarion.web.api.sources.wire import RateLimit, Source, SourceId, read_limit


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
    async def create(self, request: Call, parts: GivenParts, caller: GivenCaller) -> Source:
        """Creates a source with a write key of its own."""
        wanted = await read(request, NewSource)
        made = await parts.do(
            create_source,
            caller,
            wanted.name,
            firebase_app_id=wanted.firebase_app_id,
            rate_limit=read_limit(wanted.rate_limit),
        )
        return shown(made, Source)

    @get("", summary="List sources")
    async def list_all(self, parts: GivenParts, caller: GivenCaller) -> Page[Source]:
        """Every source, revoked ones too; always one page."""
        sources = await parts.ask(list_sources, caller, parts.clock.now())
        return whole([shown(source, Source) for source in sources])

    @get("/{source_id:uuid}", summary="Show a source")
    async def show(self, parts: GivenParts, caller: GivenCaller, source_id: SourceId) -> Source:
        """A source with its write key."""
        source = await parts.ask(get_source, caller, source_id, parts.clock.now())
        return shown(source, Source)

    @patch("/{source_id:uuid}", summary="Change a source", opt={BODY: SourceChange})
    async def change(
        self, request: Call, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> Source:
        """Another name, another Firebase app through which its devices are reached; with the scope
        `admin`, since they can shut apps out: other origins that may send, another limit, when
        signatures are asked for. Running collectors know within seconds."""
        change = await read(request, SourceChange)
        changed = await parts.do(
            change_source,
            caller,
            source_id,
            name=change.name,
            firebase_app_id=change.firebase_app_id,
            allowed_origins=change.allowed_origins,
            rate_limit=read_limit(change.rate_limit),
            ask_for_signatures_after_days=change.ask_for_signatures_after_days,
        )
        return shown(changed, Source)

    @post(
        "/{source_id:uuid}/revoke",
        summary="Revoke a source",
        opt={NEEDS: Scope.ADMIN},
        status_code=200,
    )
    async def revoke(self, parts: GivenParts, caller: GivenCaller, source_id: SourceId) -> Source:
        """Revokes a source: all of its write keys are rejected from now on; running collectors know
        within seconds. Revoking twice is revoking once."""
        return shown(await parts.do(revoke_source, caller, source_id), Source)

    @post(
        "/{source_id:uuid}/restore",
        summary="Restore a source",
        opt={NEEDS: Scope.ADMIN},
        status_code=200,
    )
    async def restore(self, parts: GivenParts, caller: GivenCaller, source_id: SourceId) -> Source:
        """Lets a revoked source send again, with each write key that is not retired."""
        return shown(await parts.do(restore_source, caller, source_id), Source)

    @get("/{source_id:uuid}/refusals", summary="List what was refused")
    async def refusals(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Refusal]:
        """The rejections of this source, with reason and cure; newest first."""
        refusals = await parts.ask(
            list_refusals, caller, source_id, before_seq=after_seq(cursor), limit=limit + 1
        )
        return page(
            refusals, limit, lambda refusal: shown(refusal, Refusal), lambda refusal: refusal.seq
        )
