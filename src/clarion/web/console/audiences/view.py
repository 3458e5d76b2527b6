"""`/console/audiences`: saved rules and lists, how many they reach now, some of whom, and who
uses them."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.audiences.rule import dump
from clarion.audiences.saved.commands import (
    Upload,
    archive_audience,
    create_audience,
    upload_members,
)
from clarion.audiences.saved.queries import (
    count_saved,
    explain_saved,
    get_audience,
    list_audiences,
    list_uses,
    sample_saved,
)
from clarion.faults import Rejected
from clarion.web.console.audiences.builder import ROUTES as BUILDER
from clarion.web.console.audiences.builder import campaign_ids
from clarion.web.console.audiences.form import TESTS_OF, code_of, rows_of
from clarion.web.console.customers.view import name_of
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field, read_id
from clarion.web.console.templates import pretty

PAGE = 50
SAMPLE = 8
FILE_BYTES_MAX = 16_777_216
"""Room for 100,000 user ids."""
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


@get(ONE)
async def show_one(me: Person, code: FromPath[str]) -> Response[str]:
    """`who` in the URL is a user id, of which it says whether they are in it, and why."""
    return await _one(me, code)


@post(f"{ONE}/archive")
async def do_archive(me: Person, code: FromPath[str]) -> Response[Any]:
    """Refused, and its users named, as long as something uses it."""
    outcome = await me.try_do(archive_audience, code)
    if isinstance(outcome, Rejected):
        return me.go(f"{LIST}/{code}", outcome.message, "warn")
    return me.go(LIST, f"{outcome.name} is archived.")


@get(f"{LIST}/upload")
async def show_upload(me: Person) -> Response[str]:
    return _new_list(me, None)


@post(f"{LIST}/upload", request_max_body_size=FILE_BYTES_MAX)
async def do_new_list(me: Person) -> Response[Any]:
    """A list of user ids, from a file."""
    name = me.form.get("name", "")
    code = me.form.get("code", "").strip() or code_of(name)
    made = await me.try_do(create_audience, {"code": code, "name": name, "rule": None})
    if isinstance(made, Rejected):
        return _new_list(me, made)
    return await _uploaded(me, made.code)


@post(f"{ONE}/upload", request_max_body_size=FILE_BYTES_MAX)
async def do_upload(me: Person, code: FromPath[str]) -> Response[Any]:
    """More user ids, or others in their place."""
    return await _uploaded(me, code)


async def _uploaded(me: SignedIn, code: str) -> Response[Any]:
    """The list, and what became of each line of the file."""
    file = me.files.get("file") or me.form.get("ids", "").encode()
    upload = await me.try_do(upload_members, code, file, replaces="replaces" in me.form)
    if isinstance(upload, Rejected):
        return await _one(me, code, rejected=upload)
    return await _one(me, code, upload=upload)


async def _one(
    me: SignedIn, code: str, *, upload: Upload | None = None, rejected: Rejected | None = None
) -> Response[str]:
    view = await me.ask(get_audience, code)
    asked_of = me.asked("who").strip()
    who = None
    if asked_of:
        who = await me.try_ask(explain_saved, code, asked_of, now=me.now)
    rule = view.audience.rule
    return me.page(
        "audiences/one.html",
        200 if rejected is None else 422,
        audience=view.audience,
        members=view.members,
        rule=None if rule is None else pretty(dump(rule)),
        rows=rows_of(rule, await campaign_ids(me)),
        count=await me.ask(count_saved, code, now=me.now),
        sample=await me.ask(sample_saved, code, now=me.now, limit=SAMPLE),
        uses=await me.ask(list_uses, code),
        asked_of=asked_of,
        who=None if isinstance(who, Rejected) else who,
        who_rejected=who if isinstance(who, Rejected) else None,
        upload=upload,
        rejected=rejected,
        name_of=name_of,
        tests_of=TESTS_OF,
    )


def _new_list(me: SignedIn, rejected: Rejected | None) -> Response[str]:
    if not me.may_write:
        raise PageError(forbidden(Permission.WRITE))
    return me.page(
        "audiences/list.html",
        200 if rejected is None else 422,
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


ROUTES = [show_list, show_upload, do_new_list, show_one, do_archive, do_upload, *BUILDER]
