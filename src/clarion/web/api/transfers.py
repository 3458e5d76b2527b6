"""/imports and /exports: customers, devices and events as records, in and out."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import PathParameter, QueryParameter

from clarion.accounts.actor import Scope
from clarion.customers.devices.device import Platform
from clarion.importing.commands import ImportedRows, import_events, import_rows
from clarion.importing.lines.reading import RefusedEvent
from clarion.importing.lines.row import RecordKind
from clarion.importing.queries import count_export, export_page
from clarion.importing.services.formats import Service
from clarion.importing.token_check import CheckedToken, TokenToCheck, check_tokens
from clarion.web.api.bodies import read
from clarion.web.api.errors import accepted
from clarion.web.api.gate import BODY, MAY_CONFLICT, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, after_id, after_seq, cursor_of
from clarion.web.api.sources.wire import SourceId

Kind = Annotated[RecordKind, PathParameter(description="customers, devices or events.")]
ServiceName = Annotated[Service, PathParameter(description="Whose export the rows are of.")]
DryRun = Annotated[
    bool, QueryParameter(description="Only tell what would be taken and refused; keep nothing.")
]
WithTokens = Annotated[
    bool,
    QueryParameter(description="With registration tokens, which are secrets: to move devices."),
]


class ImportedEvents(msgspec.Struct, kw_only=True):
    """Events as apps send them, 2,500 at most."""

    batch: list[dict[str, Any]]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What was not kept; all else is durable."""

    refused: list[RefusedEvent]


class ServiceRows(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Rows of another service's export, 500 at most, each as it stands there."""

    rows: list[dict[str, Any]]


class GivenToken(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A registration token, which is a secret, and what kind of device it is of."""

    token: str
    platform: Platform


class TokensToCheck(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """100 at most."""

    tokens: list[GivenToken]


class CheckedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """What Firebase says of each, in their order."""

    data: list[CheckedToken]


class RowCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows there are; a device may be several records."""

    rows: int


class ExportedRecords(msgspec.Struct, frozen=True, kw_only=True):
    """A page of records. `next` goes into `cursor` for the next page; null: this is the last
    one."""

    data: list[dict[str, Any]]
    next: str | None


class Imports(Controller):
    path = "/imports"
    tags = ("imports",)

    @post(
        "/{source_id:uuid}",
        summary="Import events",
        opt={BODY: ImportedEvents, MAY_CONFLICT: True},
        status_code=200,
    )
    async def take(
        self, request: Call, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> Imported:
        """Past events, for a source that is asked neither for signatures nor for origins and has no
        limit. A customer comes as an `identify`, a device as `Register Push`; what is known already
        changes nothing. Go no faster than `GET /sources/backlog` falls."""
        await parts.check_room()
        body = await request.body()
        taken = await import_events(parts.services, parts.broker, caller, source_id, body)
        return Imported(refused=list(accepted(taken)))

    @post(
        "/{source_id:uuid}/from/{service:str}",
        summary="Import another service's export",
        opt={BODY: ServiceRows, MAY_CONFLICT: True},
        status_code=200,
    )
    async def take_rows(
        self,
        request: Call,
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
        service: ServiceName,
        dry_run: DryRun = False,
    ) -> ImportedRows:
        """Customers and devices as another service has written them: each row is told apart by that
        service's own format. What is known already changes nothing; a row of which a part is taken
        counts as taken and stands in `refused`, too."""
        await parts.check_room()
        wire = await read(request, ServiceRows)
        taken = await import_rows(
            parts.services, parts.broker, caller, source_id, service, wire.rows, is_dry=dry_run
        )
        return accepted(taken)

    @post(
        "/{source_id:uuid}/check",
        summary="Check registration tokens",
        opt={BODY: TokensToCheck, MAY_CONFLICT: True},
        status_code=200,
    )
    async def check_tokens(
        self, request: Call, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> CheckedTokens:
        """Whether the source's Firebase app could send to these tokens: Firebase checks a push to
        each and sends none. Nothing is kept."""
        wire = await read(request, TokensToCheck)
        asked = [TokenToCheck(token=token.token, platform=token.platform) for token in wire.tokens]
        checked = await check_tokens(parts.services, parts.provider, caller, source_id, asked)
        return CheckedTokens(data=list(accepted(checked)))


class Exports(Controller):
    path = "/exports"
    tags = ("exports",)
    opt = {NEEDS: Scope.ADMIN}  # noqa: RUF012 - Litestar's own shape

    @get("/{kind:str}", summary="Export customers, devices or events")
    async def export(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        kind: Kind,
        with_tokens: WithTokens = False,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ExportedRecords:
        """Records that `clarion import` takes, by id, events in the order of their arrival. Without
        tokens, `tokens_left_out` names what was left out of a record."""
        after: UUID | int | None = (
            after_seq(cursor) if kind is RecordKind.EVENTS else after_id(cursor)
        )
        records, last = await parts.ask(
            export_page, caller, kind, after=after, limit=limit, with_tokens=with_tokens
        )
        key = last.bytes if isinstance(last, UUID) else last
        return ExportedRecords(data=records, next=None if key is None else cursor_of(key))

    @get("/{kind:str}/count", summary="Count what an export has")
    async def count(self, parts: GivenParts, caller: GivenCaller, kind: Kind) -> RowCount:
        """How many rows it has now."""
        return RowCount(rows=await parts.ask(count_export, caller, kind))
