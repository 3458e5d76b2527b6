"""`/console/audiences`: saved rules, how many they reach now, and some of whom."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.audiences.rule import DeviceField, dump
from clarion.audiences.saved.audience import Audience
from clarion.audiences.saved.commands import archive_audience, create_audience, edit_audience
from clarion.audiences.saved.queries import (
    count_rule,
    count_saved,
    get_audience,
    list_audiences,
    sample_saved,
    workspace_schema,
)
from clarion.faults import Fault, Rejected, invalid
from clarion.web.console.audiences.form import (
    DID,
    ROWS,
    TESTS,
    Row,
    code_of,
    read_rows,
    rows_of,
    written,
)
from clarion.web.console.customers.view import name_of
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field, read_id
from clarion.web.console.templates import pretty

PAGE = 50
SAMPLE = 8
LIST = "/console/audiences"
ONE = f"{LIST}/{{code:str}}"


@get(LIST)
async def show_list(me: Person) -> Response[str]:
    views = await me.ask(
        list_audiences, archived=False, before=read_id(me.asked("before")), limit=PAGE + 1
    )
    shown = views[:PAGE]
    return me.page(
        "audiences/page.html",
        views=shown,
        before=me.asked("before"),
        following=shown[-1].audience.id if len(views) > PAGE else None,
    )


@get(f"{LIST}/new")
async def show_new(me: Person) -> Response[str]:
    return await _builder(me, None, None)


@post(LIST)
async def do_create(me: Person) -> Response[Any]:
    """Saves it, or counts what is in the form where that was asked for."""
    rule = written(me.form, me.many)
    if "count" in me.form or isinstance(rule, Fault):
        return await _builder(me, None, invalid(rule) if isinstance(rule, Fault) else None)
    name = me.form.get("name", "")
    code = me.form.get("code", "").strip() or code_of(name)
    made = await me.try_do(create_audience, {"code": code, "name": name, "rule": rule})
    if isinstance(made, Rejected):
        return await _builder(me, None, made)
    return me.go(f"{LIST}/{made.code}", "Saved.")


@get(ONE)
async def show_one(me: Person, code: FromPath[str]) -> Response[str]:
    view = await me.ask(get_audience, code)
    return me.page(
        "audiences/one.html",
        audience=view.audience,
        members=view.members,
        rule=None if view.audience.rule is None else pretty(dump(view.audience.rule)),
        rows=rows_of(view.audience.rule),
        count=await me.ask(count_saved, code, now=me.now),
        sample=await me.ask(sample_saved, code, now=me.now, limit=SAMPLE),
        name_of=name_of,
        tests=TESTS | DID,
    )


@get(f"{ONE}/edit")
async def show_edit(me: Person, code: FromPath[str]) -> Response[str]:
    return await _builder(me, (await me.ask(get_audience, code)).audience, None)


@post(f"{ONE}/edit")
async def do_edit(me: Person, code: FromPath[str]) -> Response[Any]:
    """Campaigns that have not launched yet go by the new rule."""
    audience = (await me.ask(get_audience, code)).audience
    rule = written(me.form, me.many)
    if "count" in me.form or isinstance(rule, Fault):
        return await _builder(me, audience, invalid(rule) if isinstance(rule, Fault) else None)
    change: dict[str, Any] = {"name": me.form.get("name", "")}
    if audience.rule is not None:
        change["rule"] = rule
    saved = await me.try_do(edit_audience, code, change)
    if isinstance(saved, Rejected):
        return await _builder(me, audience, saved)
    return me.go(f"{LIST}/{code}", "Saved.")


@post(f"{ONE}/archive")
async def do_archive(me: Person, code: FromPath[str]) -> Response[Any]:
    """Refused, and its users named, as long as something uses it."""
    outcome = await me.try_do(archive_audience, code)
    if isinstance(outcome, Rejected):
        return me.go(f"{LIST}/{code}", outcome.message, "warn")
    return me.go(LIST, f"{outcome.name} is archived.")


async def _builder(
    me: SignedIn, audience: Audience | None, rejected: Rejected | None
) -> Response[str]:
    if not me.may_write:
        raise PageError(forbidden(Permission.WRITE))
    posted = me.request.method == "POST"
    saved = None if audience is None else rows_of(audience.rule)
    combined, rows = ("all", list[Row]()) if saved is None else saved
    text = ""
    if audience is not None and audience.rule is not None and saved is None:
        text = pretty(dump(audience.rule))
    if posted:
        combined, rows = me.form.get("combined", "all"), read_rows(me.many)
        text = me.form.get("json", "")
    count = None
    if posted and rejected is None:
        counted = await me.try_ask(count_rule, written(me.form, me.many), now=me.now)
        rejected = counted if isinstance(counted, Rejected) else None
        count = None if isinstance(counted, Rejected) else counted
    schema = await me.ask(workspace_schema)
    return me.page(
        "audiences/builder.html",
        422 if rejected is not None else 200,
        audience=audience,
        name=me.form.get("name", "" if audience is None else audience.name),
        code=me.form.get("code", ""),
        combined=combined,
        rows=[*rows, *[Row()] * (ROWS - len(rows))],
        json=text,
        count=count,
        schema=schema,
        device_fields=[field.value for field in DeviceField],
        tests=TESTS | DID,
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


ROUTES = [show_list, show_new, do_create, show_one, show_edit, do_edit, do_archive]
