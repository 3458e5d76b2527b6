"""/audiences: named sets of customers, counted, sampled and explained."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import PathParameter, QueryParameter

from clarion.accounts.actor import Actor, Scope
from clarion.audiences.saved import queries
from clarion.audiences.saved.commands import (
    archive_audience,
    create_audience,
    delete_audience,
    edit_audience,
    restore_audience,
    upload_members,
)
from clarion.audiences.saved.queries import get_audience, list_audiences
from clarion.faults import Fault
from clarion.web.api.audiences import wire
from clarion.web.api.audiences.wire import shown_audience, shown_explained, shown_upload
from clarion.web.api.bodies import read, read_object
from clarion.web.api.customers.customers import Customer
from clarion.web.api.errors import invalid
from clarion.web.api.gate import (
    BODY,
    MAY_CONFLICT,
    NEEDS,
    Call,
    GivenCaller,
    GivenParts,
    Parts,
)
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_id, page, whole
from clarion.web.api.shown import shown

SAMPLE_MAX = 100

Code = Annotated[str, PathParameter(description="The audience's code.")]
Archived = Annotated[bool, QueryParameter(description="List archived ones instead.")]
SampleSize = Annotated[
    int, QueryParameter(ge=1, le=SAMPLE_MAX, description="How many customers at most.")
]
Whom = Annotated[str, QueryParameter(description="The customer's user id, or their id.")]


class Audiences(Controller):
    path = "/audiences"
    tags = ("audiences",)

    @post("", summary="Save an audience", opt={BODY: wire.NewAudience, MAY_CONFLICT: True})
    async def create(self, request: Call, parts: GivenParts, caller: GivenCaller) -> wire.Audience:
        """A rule with a name and a code, or with `rule` null a static list. Everything that is
        wrong is told at once, and nothing is saved then."""
        made = await parts.do(create_audience, caller, await read_object(request))
        return await _shown(parts, caller, made.code)

    @get("", summary="List audiences")
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        archived: Archived = False,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[wire.Audience]:
        """Audiences, newest first."""
        views = await parts.ask(
            list_audiences, caller, archived=archived, before=after_id(cursor), limit=limit + 1
        )
        return page(views, limit, shown_audience, lambda view: view.audience.id.bytes)

    @get("/{code:str}", summary="Show an audience")
    async def show(self, parts: GivenParts, caller: GivenCaller, code: Code) -> wire.Audience:
        """An audience with its rule."""
        return await _shown(parts, caller, code)

    @patch("/{code:str}", summary="Edit an audience", opt={BODY: wire.AudienceChange})
    async def edit(
        self, request: Call, parts: GivenParts, caller: GivenCaller, code: Code
    ) -> wire.Audience:
        """Another name, or another rule. Campaigns that have not launched yet go by the new one;
        a launch that is under way stays with the one that it began with."""
        await parts.do(edit_audience, caller, code, await read_object(request))
        return await _shown(parts, caller, code)

    @post(
        "/{code:str}/archive",
        summary="Archive an audience",
        opt={MAY_CONFLICT: True},
        status_code=200,
    )
    async def archive(self, parts: GivenParts, caller: GivenCaller, code: Code) -> wire.Audience:
        """Take it out of the list. Refused, and its users named, as long as a campaign that is
        still to launch or another audience uses it."""
        await parts.do(archive_audience, caller, code)
        return await _shown(parts, caller, code)

    @post("/{code:str}/restore", summary="Restore an audience", status_code=200)
    async def restore(self, parts: GivenParts, caller: GivenCaller, code: Code) -> wire.Audience:
        """Put an archived audience back into the list."""
        await parts.do(restore_audience, caller, code)
        return await _shown(parts, caller, code)

    @delete("/{code:str}", summary="Delete an audience", opt={MAY_CONFLICT: True}, status_code=204)
    async def delete_one(self, parts: GivenParts, caller: GivenCaller, code: Code) -> None:
        """Remove it for good. Refused, and its users named, as long as any campaign or audience
        names it; it can be archived then."""
        await parts.do(delete_audience, caller, code)

    @post(
        "/{code:str}/members",
        summary="Upload user ids to a list",
        opt={BODY: wire.MembersFile, MAY_CONFLICT: True},
        status_code=200,
    )
    async def upload(
        self, request: Call, parts: GivenParts, caller: GivenCaller, code: Code
    ) -> wire.Upload:
        """Put user ids on a static list. What did not match is told; lines without an id are, too,
        and all others count."""
        wanted = await read(request, wire.MembersFile)
        upload = await parts.do(
            upload_members, caller, code, wanted.file.encode(), replaces=wanted.replace
        )
        return shown_upload(upload)

    @get("/{code:str}/count", summary="Count an audience")
    async def count(self, request: Call, parts: GivenParts, code: Code) -> wire.AudienceCount:
        """How many customers are in it now, and their devices by platform. Whoever hangs up stops
        the count."""
        counted = await parts.ask_while_there(
            request, queries.count_saved, code, now=parts.clock.now()
        )
        return shown(counted, wire.AudienceCount)

    @get("/{code:str}/sample", summary="Sample an audience")
    async def sample(
        self, request: Call, parts: GivenParts, code: Code, limit: SampleSize = 10
    ) -> Page[Customer]:
        """Some of the customers in it now, of all ages; always one page."""
        customers = await parts.ask_while_there(
            request, queries.sample_saved, code, now=parts.clock.now(), limit=limit
        )
        return whole([shown(customer, Customer) for customer in customers])

    @get("/{code:str}/explain", summary="Explain an audience for a customer")
    async def explain(
        self, parts: GivenParts, caller: GivenCaller, code: Code, customer: Whom
    ) -> wire.CustomerExplained:
        """Why a customer is in it now, or not, condition by condition."""
        explained = await parts.ask(
            queries.explain_saved, caller, code, customer, now=parts.clock.now()
        )
        return shown_explained(explained)

    @post(
        "/count",
        summary="Count a rule",
        opt={BODY: wire.CountedRule, NEEDS: Scope.READ},
        status_code=200,
    )
    async def count_rule(self, request: Call, parts: GivenParts) -> wire.AudienceCount:
        """The same of a rule that is not saved."""
        body = await _read_rule(request)
        counted = await parts.ask_while_there(
            request, queries.count_rule, body["rule"], now=parts.clock.now()
        )
        return shown(counted, wire.AudienceCount)

    @post(
        "/sample",
        summary="Sample a rule",
        opt={BODY: wire.SampledRule, NEEDS: Scope.READ},
        status_code=200,
    )
    async def sample_rule(self, request: Call, parts: GivenParts) -> Page[Customer]:
        """The same of a rule that is not saved."""
        body = await _read_rule(request, "limit")
        limit = body.get("limit", 10)
        if type(limit) is not int or not 1 <= limit <= SAMPLE_MAX:
            raise invalid([Fault("limit", f"must be a whole number from 1 to {SAMPLE_MAX}")])
        customers = await parts.ask_while_there(
            request, queries.sample_rule, body["rule"], now=parts.clock.now(), limit=limit
        )
        return whole([shown(customer, Customer) for customer in customers])

    @post(
        "/explain",
        summary="Explain a rule for a customer",
        opt={BODY: wire.ExplainedRule, NEEDS: Scope.READ},
        status_code=200,
    )
    async def explain_rule(
        self, request: Call, parts: GivenParts, caller: GivenCaller
    ) -> wire.CustomerExplained:
        """The same of a rule that is not saved."""
        body = await _read_rule(request, "customer")
        customer = body.get("customer")
        if not isinstance(customer, str):
            raise invalid([Fault("customer", "must be a user id, or a customer's id")])
        explained = await parts.ask(
            queries.explain_rule, caller, body["rule"], customer, now=parts.clock.now()
        )
        return shown_explained(explained)


class SchemaField(msgspec.Struct, frozen=True, kw_only=True):
    """A trait or a property, by its dotted path. `share`: of those looked at that have it."""

    path: str
    types: list[str]
    examples: list[str | int | float | bool]
    share: float


class SchemaEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A track event. `count`: among those looked at."""

    name: str
    count: int
    properties: list[SchemaField]


class WorkspaceSchema(msgspec.Struct, frozen=True, kw_only=True):
    """What occurs among a sample of customers and the newest events of each source. What is rarer
    may not be in it. Types: text, number, boolean, list, date."""

    profiles_read: int
    events_read: int
    traits: list[SchemaField]
    events: list[SchemaEvent]


class SchemaOfWorkspace(Controller):
    path = "/schema"
    tags = ("audiences",)

    @get("", summary="List what occurs")
    async def schema(self, parts: GivenParts, caller: GivenCaller) -> WorkspaceSchema:
        """The traits, events and properties that occur, with their types and examples: for who
        writes rules."""
        schema = await parts.ask(queries.workspace_schema, caller)
        return msgspec.convert(schema, WorkspaceSchema, from_attributes=True)


async def _shown(parts: Parts, caller: Actor, code: str) -> wire.Audience:
    return shown_audience(await parts.ask(get_audience, caller, code))


async def _read_rule(request: Call, *more: str) -> dict[str, Any]:
    """A body with a rule, and what goes with it."""
    body = await read_object(request)
    allowed = ("rule", *more)
    faults = [Fault(str(name), "is unknown") for name in body if name not in allowed]
    if "rule" not in body:
        faults.append(Fault("rule", "is missing"))
    if faults:
        raise invalid(faults)
    return body
