"""What the composer shows beside the form: the push as somebody would see it, whom it reaches, when
it launches, and what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.campaigns.content.surfaces import meters
from clarion.campaigns.content_check.content_preview import ContentPreview, preview_content
from clarion.campaigns.preview import Forecast
from clarion.campaigns.queries import check_new, forecast_new
from clarion.campaigns.timing.calendar import Upcoming
from clarion.campaigns.timing.calendar_queries import upcoming_of
from clarion.customers.devices.device import Platform
from clarion.faults import Rejected
from clarion.web.console.campaigns.compose.form import Written, field_of, with_faults
from clarion.web.console.campaigns.compose.labels import cuts, field_label
from clarion.web.console.campaigns.review.checks import Check, Level
from clarion.web.console.page import PageError, SignedIn

NAMED, RANDOM, NOBODY = "named", "random", "nobody"
UPCOMING_SHOWN = 5
_HARMLESS = frozenset({"name", "title"})
"""Fields whose absence an unwritten campaign need not be told."""


def needs(me: SignedIn, permission: Permission) -> None:
    """Ends the call of who may not do this, before anything is read for it."""
    if not me.actor.may(permission):
        raise PageError(forbidden(permission))


async def look(
    me: SignedIn, form: Mapping[str, str], draft: Written, *, counts: bool
) -> dict[str, Any]:
    """All of it, of what is in the form and not saved yet. What is typed last holds up nothing
    else: each part is shown as far as it can be. `counts`: whom it reaches, too, which takes
    longer the more they are."""
    chance = _chance(me, form)
    wire = draft.wire if draft.wire["name"].strip() else draft.wire | {"name": "unnamed"}
    asked = {"content": wire["content"], "audience": wire["audience"]} | _for_whom(form)
    shown = await me.try_ask(preview_content, asked, me.parts.provider, now=me.now, chance=chance)
    wrong = await me.try_ask(check_new, wire, me.parts.check, now=me.now)
    expected = await reached(me, draft) if counts else None
    upcoming = await upcoming_shown(me, wire["timing"])
    is_written = any(form.get(name, "").strip() for name in ("title", "body", "data"))
    rejected = with_faults(draft, _together(shown, wrong))
    return {
        "is_written": is_written,
        "preview": None if isinstance(shown, Rejected) else shown,
        "phones": {} if isinstance(shown, Rejected) else _phones(shown),
        "forecast": expected,
        "upcoming": upcoming,
        "chance": chance,
        "checks": _checks(rejected, shown, upcoming, is_written),
    }


async def reached(me: SignedIn, draft: Written) -> Forecast | None:
    """Whom it would reach now, though its texts are not right yet; None: the audience is not."""
    if any(fault.field == "audience" for fault in draft.faults):
        return None
    named = {"name": draft.wire["name"].strip() or "unnamed"}
    for content in (draft.wire["content"], {"title": "unwritten"}):
        wire = named | {"content": content, "audience": draft.wire["audience"]}
        expected = await me.try_ask(forecast_new, wire, me.parts.check, now=me.now)
        if not isinstance(expected, Rejected):
            return expected
    return None


async def upcoming_shown(me: SignedIn, timing: Mapping[str, Any] | None) -> Upcoming | Rejected:
    """The next times at which it would launch; of none that is said, at once."""
    wanted = timing or {"at": "now"}
    return await me.try_ask(upcoming_of, wanted, now=me.now, limit=UPCOMING_SHOWN)


def phones_of(contents: Mapping[str, Any]) -> dict[str, Any]:
    """What each platform shows, with how its texts fit, by the platform's name."""
    return {
        name: {
            "content": content,
            "language": None,
            "bytes": None,
            "surfaces": {
                meter.surface: cuts(content, meter) for meter in meters(content, Platform(name))
            },
        }
        for name, content in contents.items()
    }


def _phones(shown: ContentPreview) -> dict[str, Any]:
    phones = phones_of({name: preview.content for name, preview in shown.platforms.items()})
    for name, phone in shown.platforms.items():
        phones[name] |= {
            "language": phone.language,
            "bytes": phone.bytes,
            "bytes_max": phone.bytes_max,
        }
    return phones


def _for_whom(form: Mapping[str, str]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    named = form.get("preview_for", "").strip()
    kind = form.get("seen_by") or (NAMED if named else RANDOM)
    if kind == NAMED and named:
        wanted["user_id"] = named
    elif kind == NOBODY:
        wanted["seen_by"] = NOBODY
    if form.get("preview_language"):
        wanted["language"] = form["preview_language"]
    return wanted


def _chance(me: SignedIn, form: Mapping[str, str]) -> float:
    """By which somebody was picked: the same person is shown until another one is wanted."""
    try:
        chance = float(form.get("chance", ""))
    except ValueError:
        chance = -1.0
    if "another" in form or not 0 <= chance < 1:
        return me.services.clock.chance()
    return chance


def _together(*outcomes: Any) -> Rejected | None:
    """All that was rejected, as one."""
    rejected = [rejection for rejection in outcomes if isinstance(rejection, Rejected)]
    if not rejected:
        return None
    faults = tuple(dict.fromkeys(fault for rejection in rejected for fault in rejection.faults))
    return Rejected(rejected[0].code, rejected[0].message, faults)


def _checks(
    rejected: Rejected | None,
    shown: ContentPreview | Rejected,
    upcoming: Upcoming | Rejected,
    is_written: bool,
) -> list[Check]:
    """What stops it, then what should be looked at; each with the field where to mend it."""
    checks = [
        _check(Level.BAD, fault.field, fault.message)
        for fault in (() if rejected is None else rejected.faults)
        if is_written or fault.field not in _HARMLESS
    ]
    if isinstance(shown, ContentPreview):
        for fault in shown.faults:
            where = f" on {fault.platform.value}" + (f", line {fault.line}" * (fault.line > 1))
            checks.append(_check(Level.BAD, field_of(fault.field), fault.message + where))
    if isinstance(upcoming, Rejected):
        for wrong in upcoming.faults:
            checks.append(_check(Level.BAD, field_of(wrong.field), wrong.message))
    elif upcoming.shifted:
        message = "is skipped by the clocks there that day: it launches when they go on"
        checks.append(_check(Level.WARN, "at", message))
    if isinstance(shown, ContentPreview):
        checks += [
            _check(Level.WARN, field_of(warning.field), warning.message)
            for warning in shown.warnings
        ]
    return list(dict.fromkeys(checks))


def _check(level: Level, field: str, message: str) -> Check:
    return Check(level, f"{message}.", field=field, label=field_label(field))
