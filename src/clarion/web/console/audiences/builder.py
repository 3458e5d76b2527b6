"""`/console/audiences/new` and `…/edit`: rows of conditions, and how many they reach now."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.audiences.query import AudienceCount
from clarion.audiences.rule import DeviceField, dump
from clarion.audiences.saved.audience import Audience
from clarion.audiences.saved.commands import create_audience, edit_audience
from clarion.audiences.saved.queries import (
    Explained,
    count_rule,
    explain_rule,
    get_audience,
    list_audiences,
    sample_rule,
    workspace_schema,
)
from clarion.campaigns.queries import list_campaigns
from clarion.customers.profile.store import Customer
from clarion.faults import Fault, Rejected, invalid
from clarion.web.console.audiences.form import (
    KINDS,
    ROWS,
    TESTS_OF,
    Row,
    code_of,
    read_rows,
    rows_of,
    written,
)
from clarion.web.console.customers.view import name_of
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field
from clarion.web.console.templates import pretty

LIST = "/console/audiences"
ONE = f"{LIST}/{{code:str}}"
SAMPLE = 5
NAMES_MAX = 200
"""Of campaigns and audiences to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the rule in the form reaches now. `rejected`: why that can not be told; `who`: a
    customer who was asked for, and why they are in it or not."""

    count: AudienceCount | None = None
    sample: list[Customer] | None = None
    who: Explained | None = None
    rejected: Rejected | None = None
    who_rejected: Rejected | None = None


@get(f"{LIST}/new")
async def show_new(me: Person) -> Response[str]:
    return await _builder(me, None)


@post(LIST)
async def do_create(me: Person) -> Response[Any]:
    """Saves it, or counts what is in the form where that was asked for."""
    rule = written(me.form, me.many, await campaign_ids(me))
    if "count" in me.form or isinstance(rule, Fault):
        return await _builder(me, None, invalid(rule) if isinstance(rule, Fault) else None)
    name = me.form.get("name", "")
    code = me.form.get("code", "").strip() or code_of(name)
    made = await me.try_do(create_audience, {"code": code, "name": name, "rule": rule})
    if isinstance(made, Rejected):
        return await _builder(me, None, made)
    return me.go(f"{LIST}/{made.code}", "Saved.")


@post(f"{LIST}/count")
async def do_count(me: Person) -> Response[str]:
    """The part of the builder that tells how many: asked for while somebody types."""
    _needs_write(me)
    rule = written(me.form, me.many, await campaign_ids(me))
    counted = Counted(rejected=invalid(rule)) if isinstance(rule, Fault) else await _count(me, rule)
    return me.page("audiences/count.html", reached=counted, who=_who(me), name_of=name_of)


@get(f"{ONE}/edit")
async def show_edit(me: Person, code: FromPath[str]) -> Response[str]:
    return await _builder(me, (await me.ask(get_audience, code)).audience)


@post(f"{ONE}/edit")
async def do_edit(me: Person, code: FromPath[str]) -> Response[Any]:
    """Campaigns that have not launched yet go by the new rule."""
    audience = (await me.ask(get_audience, code)).audience
    rule = written(me.form, me.many, await campaign_ids(me))
    if "count" in me.form or isinstance(rule, Fault):
        return await _builder(me, audience, invalid(rule) if isinstance(rule, Fault) else None)
    change: dict[str, Any] = {"name": me.form.get("name", "")}
    if audience.rule is not None:
        change["rule"] = rule
    saved = await me.try_do(edit_audience, code, change)
    if isinstance(saved, Rejected):
        return await _builder(me, audience, saved)
    return me.go(f"{LIST}/{code}", "Saved.")


async def _builder(
    me: SignedIn, audience: Audience | None, rejected: Rejected | None = None
) -> Response[str]:
    _needs_write(me)
    ids = await campaign_ids(me)
    posted = me.request.method == "POST"
    saved = None if audience is None else rows_of(audience.rule, ids)
    combined, rows = ("all", list[Row]()) if saved is None else saved
    text = ""
    rule: Any = None if audience is None or audience.rule is None else dump(audience.rule)
    if rule is not None and saved is None:
        text = pretty(rule)
    if posted:
        combined, rows = me.form.get("combined", "all"), read_rows(me.many)
        text, rule = me.form.get("json", ""), written(me.form, me.many, ids)
    counted = None
    if rule is not None and not isinstance(rule, Fault):
        counted = await _count(me, rule)
        rejected = rejected or (counted.rejected if posted else None)
    views = await me.ask(list_audiences, archived=False, before=None, limit=NAMES_MAX)
    return me.page(
        "audiences/builder.html",
        422 if rejected is not None else 200,
        audience=audience,
        name=me.form.get("name", "" if audience is None else audience.name),
        code=me.form.get("code", ""),
        combined=combined,
        rows=[*rows, *[Row()] * (ROWS - len(rows))],
        json=text,
        reached=counted,
        who=_who(me),
        schema=await me.ask(workspace_schema, has_properties=False),
        device_fields=[field.value for field in DeviceField],
        campaigns=list(ids),
        audiences=[view.audience for view in views],
        kinds=KINDS,
        tests_of=TESTS_OF,
        name_of=name_of,
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


async def _count(me: SignedIn, rule: Any) -> Counted:
    count = await me.try_ask(count_rule, rule, now=me.now)
    if isinstance(count, Rejected):
        return Counted(rejected=count)
    sample = await me.ask(sample_rule, rule, now=me.now, limit=SAMPLE)
    if not _who(me):
        return Counted(count=count, sample=sample)
    explained = await me.try_ask(explain_rule, rule, _who(me), now=me.now)
    if isinstance(explained, Rejected):
        return Counted(count=count, sample=sample, who_rejected=explained)
    return Counted(count=count, sample=sample, who=explained)


async def campaign_ids(me: SignedIn) -> dict[str, str]:
    """How the form calls the newest campaigns, and their ids."""
    campaigns = await me.ask(list_campaigns, before=None, limit=NAMES_MAX)
    return {f"{campaign.name} · {campaign.id.hex[-6:]}": str(campaign.id) for campaign in campaigns}


def _who(me: SignedIn) -> str:
    """The user id of whom the form asks whether they are in it."""
    return me.form.get("who", "").strip()


def _needs_write(me: SignedIn) -> None:
    if not me.may_write:
        raise PageError(forbidden(Permission.WRITE))


ROUTES = [show_new, do_create, do_count, show_edit, do_edit]
