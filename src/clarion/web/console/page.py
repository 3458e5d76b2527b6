"""A visit: one call of a browser, who makes it, and the page or the way on that answers it."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, unquote
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import Services
from clarion.accounts.people.preferences import Preferences
from clarion.accounts.people.queries import get_preferences
from clarion.accounts.people.session import Session, csrf_token_of
from clarion.accounts.people.signing_in import authenticate
from clarion.accounts.queries import list_workspaces
from clarion.accounts.workspace import Workspace
from clarion.faults import Fault, Rejected
from clarion.web.console import amount as amounts
from clarion.web.console import when as times
from clarion.web.console.amount import whole
from clarion.web.console.browser import (
    SAFE_METHODS,
    cookie_in,
    is_https,
    token_in,
)
from clarion.web.console.flash import clear_flash, flash_cookie, read_flash
from clarion.web.console.kept import BYTES_MAX, KeptForm, kept_form
from clarion.web.console.parts import Parts, parts_in
from clarion.web.console.templates import environment
from clarion.web.console.when import Place, locale_among, read_locale, read_zone
from clarion.web.request_id import REQUEST_ID

P = ParamSpec("P")
T = TypeVar("T")

TOKEN_FIELD = "csrf_token"  # noqa: S105 - the name of a field
ZONE, THEME, LANGUAGE = "clarion_zone", "clarion_theme", "clarion_language"
KEYS = "clarion_keys"
THEMES = ("light", "dark")
SIGN_IN = "/console/sign-in"
_OF_PATHS = "/?&=%#+:;,@!$'()*~[]"
"""What stands in a path as it is; all else is written in percents, which a header can hold."""
VISIT = "clarion_visit"
"""Where a call's ASGI scope has who makes it, once that is known."""

Call = Request[Any, Any, Any]


class PageError(Exception):
    """Ends a call with a page that says why."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.message)
        self.rejected = rejected


class NotSignedIn(Exception):
    """Ends a call with the way to the sign-in, and back. `kept`: what it sent."""

    def __init__(self, kept: KeptForm | None = None) -> None:
        super().__init__("nobody is signed in")
        self.kept = kept


class StaleToken(Exception):
    """Ends a call of a form that has another session's token: it can be sent again with this one's.
    `visit`: who makes the call now."""

    def __init__(self, visit: "SignedIn") -> None:
        super().__init__("another session's token")
        self.visit = visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One call. `form`: the fields that were sent, the last of a name; `files`: what was chosen
    to be uploaded."""

    request: Call
    parts: Parts
    now: datetime
    place: Place
    form: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, list[str]] = field(default_factory=dict)
    """The same fields, all of each name, in the order of the form."""
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        return self.parts.services

    @property
    def theme(self) -> str:
        """light or dark, where that was chosen; else empty."""
        return _theme(cookie_in(self.request.scope, THEME))

    @property
    def has_keys(self) -> bool:
        """Whether single keys do something."""
        return cookie_in(self.request.scope, KEYS) != "off"

    @property
    def request_id(self) -> str:
        return str(self.request.scope.get(REQUEST_ID))

    @property
    def host(self) -> str:
        """Where apps reach this installation."""
        if self.parts.public_url:
            return self.parts.public_url.rstrip("/")
        scheme = "https" if is_https(self.request.scope) else "http"
        return f"{scheme}://{self.request.headers.get('host', '127.0.0.1:8080')}"

    def asked(self, name: str) -> str:
        """A parameter of the URL; empty where it is not there."""
        return str(self.request.query_params.get(name, "")).replace("\x00", "")

    def page(self, template: str, status: int = 200, **values: Any) -> Response[str]:
        """A whole page."""
        return self.answer(template, status, me=None, **values)

    def answer(self, template: str, status: int, **values: Any) -> Response[str]:
        said = read_flash(self.request.scope)
        html = (
            environment()
            .get_template(template)
            .render(
                visit=self,
                path=self.request.url.path,
                theme=self.theme,
                has_keys=self.has_keys,
                flash=said,
                now=self.now,
                when=lambda at, **more: times.when(at, self.place, **more),
                when_in=lambda at, zone: times.when(at, Place(read_zone(zone), self.place.locale)),
                when_near=lambda at: times.when_near(at, self.place, self.now),
                amount=lambda count: amounts.amount(count, self.place.locale),
                counted=lambda count, noun, plural=None: amounts.counted(
                    count, noun, self.place.locale, plural
                ),
                length=times.length,
                clock=lambda at: times.clock(at, self.place),
                clock_short=lambda at: times.clock(at, self.place, seconds=False),
                when_text=lambda at: times.when(at, self.place).striptags(),
                percent=lambda part, whole: amounts.percent(part, whole, self.place.locale),
                **values,
            )
        )
        answer = Response(html, status_code=status, media_type="text/html")
        if said:
            _keep(answer, clear_flash(self.request.scope))
        return answer

    def go(self, path: str, say: str | None = None, kind: str = "ok") -> Response[Any]:
        """The way on after something was done, and what the next page says of it."""
        way = quote(path, safe=_OF_PATHS)
        answer = Response(b"", status_code=303, media_type="text/html", headers={"Location": way})
        if say is not None:
            _keep(answer, flash_cookie(self.request.scope, kind, say))
        return answer

    def go_after(self, outcome: object, path: str, say: str) -> Response[Any]:
        """The same after an act: `say` where it was done, or why it was refused. Ends the call
        where what the URL names is not there."""
        if isinstance(outcome, Rejected):
            if outcome.code == "not_found":
                raise PageError(outcome)
            return self.go(path, outcome.message, "bad")
        return self.go(path, say)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Visit):
    """A call of somebody who is signed in."""

    actor: Actor
    session: Session
    csrf_token: str
    workspaces: list[Workspace]
    preferences: Preferences

    @property
    def theme(self) -> str:
        return _theme(self.preferences.theme or cookie_in(self.request.scope, THEME))

    @property
    def has_keys(self) -> bool:
        chosen = self.preferences.single_keys
        return cookie_in(self.request.scope, KEYS) != "off" if chosen is None else chosen

    @property
    def workspace(self) -> Workspace:
        """In which they work at the moment."""
        return {known.id: known for known in self.workspaces}[self.actor.workspace_id]

    @property
    def may_write(self) -> bool:
        return self.actor.may(Permission.WRITE)

    @property
    def may_publish(self) -> bool:
        return self.actor.may(Permission.PUBLISH)

    @property
    def may_administer(self) -> bool:
        return self.actor.may(Permission.ADMIN)

    def page(self, template: str, status: int = 200, **values: Any) -> Response[str]:
        return self.answer(template, status, me=self, **values)

    async def ask(
        self,
        query: Callable[Concatenate[AsyncConnection, Actor, P], Awaitable[T | Rejected]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What a query returns. Ends the call with a page where it is rejected."""
        return accepted(await self.try_ask(query, *args, **kwargs))

    async def try_ask(
        self,
        query: Callable[Concatenate[AsyncConnection, Actor, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same, Rejected included."""
        async with self.services.database.read() as connection:
            return await query(connection, self.actor, *args, **kwargs)

    async def do(
        self,
        command: Callable[Concatenate[Services, Actor, P], Awaitable[T | Rejected]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What a command returns. Ends the call with a page where it is rejected."""
        return accepted(await self.try_do(command, *args, **kwargs))

    async def try_do(
        self,
        command: Callable[Concatenate[Services, Actor, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same, Rejected included, but for what the actor may not do, which ends the call."""
        outcome = await command(self.services, self.actor, *args, **kwargs)
        if isinstance(outcome, Rejected) and outcome.code == "forbidden":
            raise PageError(outcome)
        return outcome


Visitor = NamedDependency[Visit]
Person = NamedDependency[SignedIn]


def accepted(outcome: T | Rejected) -> T:
    """What was returned. Ends the call with a page where it is Rejected."""
    if isinstance(outcome, Rejected):
        raise PageError(outcome)
    return outcome


async def visitor_of(request: Call) -> Visit:
    """A call of whoever it may be."""
    return Visit(**await _common(request))


async def person_of(request: Call) -> SignedIn:
    """A call of somebody who is signed in. Ends it where nobody is, and where a form lacks their
    session's token."""
    token = token_in(request.scope)
    parts = parts_in(request.scope)
    known = None
    if token is not None:
        request_id = str(request.scope.get(REQUEST_ID))
        known = await authenticate(parts.services, token, request_id=request_id)
    if token is None or known is None:
        raise NotSignedIn(await _kept_unread(request))
    common = await _common(request)
    csrf_token = csrf_token_of(token)
    actor, session = known
    async with parts.services.database.read() as connection:
        workspaces = await list_workspaces(connection, actor)
        preferences = await get_preferences(connection, actor)
    me = SignedIn(
        **common | {"place": _place_of(preferences, common["place"])},
        actor=actor,
        session=session,
        csrf_token=csrf_token,
        workspaces=workspaces,
        preferences=preferences,
    )
    request.scope[VISIT] = me  # type: ignore[literal-required]
    if request.method not in SAFE_METHODS:
        sent = common["form"].get(TOKEN_FIELD, "")
        if not hmac.compare_digest(sent.encode(), csrf_token.encode()):
            raise StaleToken(me)
    return me


def visit_of(request: Call) -> Visit:
    """Who makes the call, as far as that is known by now, without what was sent: for the page that
    says why the call has ended."""
    known = request.scope.get(VISIT)
    return known if isinstance(known, Visit) else Visit(**_about(request))


async def _kept_unread(request: Call) -> KeptForm | None:
    """What was sent by a call that nobody is known to make, of which little is read."""
    length = whole(request.headers.get("content-length", ""))
    if request.method in SAFE_METHODS or length is None or length > BYTES_MAX:
        return None
    return kept_of(request, await _common(request))


def kept_of(request: Call, sent: Mapping[str, Any]) -> KeptForm | None:
    """What was sent, to be sent again."""
    has_files = any(sent["files"].values())
    path = request.url.path
    return kept_form(path, sent["many"], without=TOKEN_FIELD, has_files=has_files)


def read_id(text: str) -> UUID | None:
    """An id in a URL or a form; None: it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def faults_by_field(rejected: Rejected | None) -> dict[str, str]:
    """What is wrong with each field of a form, as a sentence begins with the field's label."""
    faults: tuple[Fault, ...] = () if rejected is None else rejected.faults
    message_by_field: dict[str, str] = {}
    for fault in faults:
        message_by_field.setdefault(fault.field, fault.message)
    return message_by_field


async def _common(request: Call) -> dict[str, Any]:
    form: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    if request.method not in SAFE_METHODS:
        for name, value in (await request.form()).multi_items():
            if isinstance(value, UploadFile):
                files[name] = await value.read()
            else:
                text = str(value).replace("\x00", "").replace("\r\n", "\n")
                form[name] = text
                many.setdefault(name, []).append(text)
    return _about(request) | {"form": form, "many": many, "files": files}


def _about(request: Call) -> dict[str, Any]:
    parts = parts_in(request.scope)
    zone = read_zone(_unquoted(cookie_in(request.scope, ZONE)))
    return {
        "request": request,
        "parts": parts,
        "now": parts.services.clock.now(),
        "place": Place(zone=zone, locale=locale_among(_languages(request))),
    }


def _theme(chosen: str | None) -> str:
    return chosen if chosen in THEMES else ""


def _place_of(chosen: Preferences, guessed: Place) -> Place:
    """As the person has chosen; else as their browser says."""
    locale = guessed.locale if chosen.locale is None else read_locale(chosen.locale)
    zone = guessed.zone if chosen.time_zone is None else read_zone(chosen.time_zone)
    return Place(zone=zone, locale=locale or guessed.locale)


def _languages(request: Call) -> list[str]:
    """The one that was chosen, then those of the browser."""
    ranges = request.headers.get("accept-language", "").split(",")
    return [cookie_in(request.scope, LANGUAGE) or "", *(one.partition(";")[0] for one in ranges)]


def _unquoted(value: str | None) -> str | None:
    return None if value is None else unquote(value).strip('"')


def _keep(answer: Response[Any], cookie: str) -> None:
    answer.headers["Set-Cookie"] = cookie
