"""`/console/me`: how one reads times and numbers, one's password, one's sessions."""

from typing import Any

from babel import Locale, UnknownLocaleError
from litestar import Response, get, post

from clarion.accounts.people.commands import (
    change_preferences,
    change_session_workspace,
    end_session,
)
from clarion.accounts.people.queries import list_sessions
from clarion.accounts.people.signing_in import change_password
from clarion.faults import Rejected, not_found
from clarion.web.console.browser import PATH, is_https, place_of, set_cookie
from clarion.web.console.page import (
    KEYS,
    LANGUAGE,
    THEME,
    THEMES,
    ZONE,
    PageError,
    Person,
    SignedIn,
    faults_by_field,
    read_id,
)
from clarion.web.console.when import zones

ME = "/console/me"
YEAR_SECONDS = 31_536_000
LOCALES = (
    ("en_GB", "English (United Kingdom): 24 Dec 2026, 18:00 · 1,234.5"),
    ("en_US", "English (United States): Dec 24, 2026, 6:00 PM · 1,234.5"),
    ("de_DE", "Deutsch: 24. Dez. 2026, 18:00 · 1.234,5"),
    ("fr_FR", "Français: 24 déc. 2026, 18:00 · 1 234,5"),
    ("ja_JP", "日本語: 2026年12月24日, 18:00 · 1,234.5"),
)


@get(ME)
async def show_me(me: Person) -> Response[str]:
    return await _me(me, None)


@post(f"{ME}/preferences")
async def do_preferences(me: Person) -> Response[Any]:
    """Kept with the person, and by this browser for its sign-in page."""
    zone, theme = me.form.get("zone", ""), me.form.get("theme", "")
    theme = theme if theme in THEMES else "system"
    wanted = {
        "time_zone": zone,
        "locale": _known_locale(me.form.get("language", "")),
        "theme": theme,
        "single_keys": "keys" in me.form,
    }
    kept = await me.try_do(change_preferences, wanted)
    if isinstance(kept, Rejected):
        return await _me(me, None, zone_fault="must be one of the list, as Europe/Berlin")
    chosen = {
        ZONE: zone,
        THEME: theme,
        LANGUAGE: _known_locale(me.form.get("language", "")),
        KEYS: "on" if "keys" in me.form else "off",
    }
    answer = me.go(ME)
    for name, value in chosen.items():
        answer.set_cookie(
            name,
            value,
            max_age=YEAR_SECONDS,
            path=PATH,
            samesite="lax",
            secure=is_https(me.request.scope),
        )
    return answer


@post(f"{ME}/password")
async def do_password(me: Person) -> Response[Any]:
    """All sessions end but for a new one in this browser."""
    outcome = await change_password(
        me.services,
        me.parts.hasher,
        me.actor,
        current=me.form.get("current", ""),
        new=me.form.get("new", ""),
        place=place_of(me.request.scope),
    )
    if isinstance(outcome, Rejected):
        return await _me(me, outcome)
    answer = me.go(ME)
    answer.headers["Set-Cookie"] = set_cookie(me.request.scope, outcome.token)
    return answer


@post(f"{ME}/sessions")
async def do_end(me: Person) -> Response[Any]:
    """Sign out elsewhere, say of a phone that was lost."""
    session_id = read_id(me.form.get("session_id", ""))
    if session_id is None:
        raise PageError(not_found("session"))
    await me.do(end_session, session_id)
    return me.go(ME, "That session is over.")


@post(f"{ME}/workspace")
async def do_workspace(me: Person) -> Response[Any]:
    """Work in another workspace from now on."""
    workspace_id = read_id(me.form.get("workspace_id", ""))
    if workspace_id is None:
        raise PageError(not_found("workspace"))
    await me.do(change_session_workspace, me.session.id, workspace_id)
    return me.go("/console/")


async def _me(me: SignedIn, rejected: Rejected | None, zone_fault: str = "") -> Response[str]:
    sessions = await me.ask(list_sessions, me.now)
    return me.page(
        "me/page.html",
        200 if rejected is None and not zone_fault else 422,
        sessions=sessions,
        zone=me.form.get("zone") or me.place.zone.key,
        zones=sorted(name for name in zones() if "/" in name or name == "UTC"),
        zone_fault=zone_fault,
        locales=_offered(me.place.locale),
        locale=str(me.place.locale),
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


def _offered(locale: Locale) -> list[tuple[str, str]]:
    """Those to choose from, and the one that they read by now: it is not lost by saving."""
    offered, name = list(LOCALES), str(locale)
    if name not in dict(LOCALES):
        offered.insert(0, (name, locale.get_display_name() or name))
    return offered


def _known_locale(name: str) -> str:
    try:
        return str(Locale.parse(name))
    except (ValueError, UnknownLocaleError):
        return LOCALES[0][0]


ROUTES = [show_me, do_preferences, do_password, do_end, do_workspace]
