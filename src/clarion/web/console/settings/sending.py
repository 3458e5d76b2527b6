"""`/console/settings/sending`: quiet hours, caps, approval, exclusions; and `…/privacy`: what
people have asked of us."""

import json
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from clarion.accounts.actor import Permission
from clarion.accounts.audit_store import AuditFilter
from clarion.accounts.command import forbidden
from clarion.accounts.queries import list_audit
from clarion.audiences.rule import dump as dump_rule
from clarion.audiences.saved.queries import list_audiences
from clarion.campaigns.limits.commands import change_limits
from clarion.campaigns.limits.limits import Limits
from clarion.campaigns.limits.queries import get_limits
from clarion.faults import Fault, Rejected, invalid
from clarion.privacy.queries import list_erasures
from clarion.web.console.amount import whole
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field
from clarion.web.console.templates import pretty

SENDING = "/console/settings/sending"
CAPS_SHOWN = 4
AUDIENCES_SHOWN = 200
ENTRIES = 50
UNITS = {"hours": "hours", "days": "days"}


@get(SENDING)
async def show_sending(me: Person) -> Response[str]:
    return await _sending(me, None)


@post(SENDING)
async def do_sending(me: Person) -> Response[Any]:
    """All of it at once: what is not in the form any more does not hold any more."""
    wanted = _written(me.form, me.many)
    if isinstance(wanted, Fault):
        return await _sending(me, invalid(wanted))
    changed = await me.try_do(change_limits, wanted)
    if isinstance(changed, Rejected):
        return await _sending(me, changed)
    return me.go(SENDING, "Saved. It holds for whatever is sent from now on.")


@get("/console/settings/privacy")
async def show_privacy(me: Person) -> Response[str]:
    """Erasures under way, and the last acts on customers, who are told by a hash alone."""
    return me.page(
        "settings/privacy.html",
        here="privacy",
        erasures=await me.ask(list_erasures),
        entries=await me.ask(
            list_audit, AuditFilter(thing_kind="customer"), limit=ENTRIES, before=None
        ),
    )


async def _sending(me: SignedIn, rejected: Rejected | None) -> Response[str]:
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))
    views = await me.ask(list_audiences, archived=False, before=None, limit=AUDIENCES_SHOWN)
    form = _form(await me.ask(get_limits))
    caps = _caps(me.many) if rejected is not None else form.pop("caps")
    if rejected is not None:
        form = {**form, "needs_approval": "", **me.form}
    return me.page(
        "settings/sending.html",
        200 if rejected is None else 422,
        here="sending",
        form=form,
        caps=[*caps, *[("", "", "days", "")] * (CAPS_SHOWN - len(caps))],
        units=UNITS,
        cap_labels={
            f"caps[{place}].{name}": f"How often, row {place + 1}, {name}:"
            for place in range(CAPS_SHOWN)
            for name in ("pushes", "days", "hours", "category")
        },
        audiences=[view.audience for view in views],
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


def _form(limits: Limits) -> dict[str, Any]:
    """The fields of the form, as they are saved."""
    quiet = limits.quiet_hours
    rule = None if limits.exclusions is None else dump_rule(limits.exclusions)
    is_audience = rule is not None and set(rule) == {"audience"}
    return {
        "start": "" if quiet is None else f"{quiet.start:%H:%M}",
        "end": "" if quiet is None else f"{quiet.end:%H:%M}",
        "action": "hold" if quiet is None else quiet.action.value,
        "needs_approval": "1" if limits.needs_approval else "",
        "excluded": rule["audience"] if rule is not None and is_audience else "",
        "exclusions": "" if rule is None or is_audience else pretty(rule),
        "caps": [
            (
                str(cap.pushes),
                str(cap.days or cap.hours or ""),
                "days" if cap.days else "hours",
                cap.category or "",
            )
            for cap in limits.caps
        ],
    }


def _caps(many: Mapping[str, list[str]]) -> list[tuple[str, str, str, str]]:
    """The rows of caps that say something."""
    columns = [many.get(name, []) for name in ("pushes", "period", "unit", "category")]
    rows = zip(*columns, strict=False)
    return [
        (pushes.strip(), period.strip(), unit, category.strip())
        for pushes, period, unit, category in rows
        if pushes.strip() or period.strip()
    ]


def _written(form: Mapping[str, str], many: Mapping[str, list[str]]) -> dict[str, Any] | Fault:
    """What the command takes."""
    start, end = form.get("start", "")[:5], form.get("end", "")[:5]
    exclusions: Any = None
    if form.get("exclusions", "").strip():
        try:
            exclusions = json.loads(form["exclusions"])
        except (ValueError, RecursionError):
            return Fault("exclusions", "is no JSON: look at quotes, commas and brackets")
    elif form.get("excluded"):
        exclusions = {"audience": form["excluded"]}
    caps = [
        {
            "pushes": _number(pushes),
            ("days" if unit == "days" else "hours"): _number(period),
            **({"category": category} if category else {}),
        }
        for pushes, period, unit, category in _caps(many)
    ]
    return {
        "quiet_hours": {"start": start, "end": end, "action": form.get("action", "hold")}
        if start or end
        else None,
        "caps": caps,
        "exclusions": exclusions,
        "needs_approval": "needs_approval" in form,
    }


def _number(text: str) -> int | str:
    """What is no number is left for the command to say so."""
    number = whole(text)
    return text if number is None else number


ROUTES = [show_sending, do_sending, show_privacy]
