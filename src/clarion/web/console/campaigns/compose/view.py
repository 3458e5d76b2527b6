"""`/console/campaigns/new` and `…/edit`: one page, any order, saved while one writes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.audiences.saved.queries import list_audiences, workspace_schema
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.commands import create_campaign, duplicate_campaign, edit_campaign
from clarion.campaigns.limits.caps import caps_on
from clarion.campaigns.limits.queries import get_limits
from clarion.campaigns.queries import get_campaign, who_changed
from clarion.deliveries.testing.commands import send_test
from clarion.faults import Rejected, invalid
from clarion.web.console.campaigns.compose.emoji import GROUPS as EMOJI
from clarion.web.console.campaigns.compose.form import (
    Written,
    empty_form,
    form_of,
    languages_in,
    with_faults,
    with_language,
    written,
)
from clarion.web.console.campaigns.compose.labels import field_label, language_name
from clarion.web.console.campaigns.compose.looking import look, needs, reached
from clarion.web.console.campaigns.compose.timing import WEEKDAYS
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field, read_id
from clarion.web.console.when import zones

AUDIENCES_SHOWN = 200
TRAITS_SHOWN = 100
PATH = "/console/campaigns"
PAGE = "campaigns/compose/page.html"
_SHOWS = ("preview", "another", "add_language", "remove_language")
"""Buttons that save nothing: the page shows what was typed."""


@get(f"{PATH}/new")
async def show_new(me: Person) -> Response[str]:
    needs(me, Permission.WRITE)
    return await composer(me, empty_form(me.workspace.time_zone))


@post(PATH)
async def do_create(me: Person) -> Response[Any]:
    """Saves a new draft, or shows its previews where that was asked for."""
    if any(name in me.form for name in _SHOWS):
        return await _shown(me, None)
    draft = written(me.form)
    if draft.faults:
        return await composer(me, me.form, rejected=with_faults(draft, None))
    made = await me.try_do(create_campaign, draft.wire, me.parts.check, is_being_written=True)
    if isinstance(made, Rejected):
        return await composer(me, me.form, rejected=with_faults(draft, made))
    return _saved(me, made)


@get(f"{PATH}/{{campaign_id:uuid}}/edit")
async def show_edit(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """The composer of a draft; of any other campaign, its report, which says what can be done."""
    campaign = await me.ask(get_campaign, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        return me.go(
            f"{PATH}/{campaign_id}", "It is no draft any more, and stays as it is.", "info"
        )
    needs(me, Permission.WRITE)
    form = form_of(campaign, me.workspace.time_zone)
    return await composer(me, form, campaign=campaign, draft=written(form, campaign))


@post(f"{PATH}/{{campaign_id:uuid}}/edit")
async def do_edit(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Saves the draft, unless somebody else has saved it since it was opened."""
    campaign = await me.ask(get_campaign, campaign_id)
    if any(name in me.form for name in _SHOWS):
        return await _shown(me, campaign)
    saved = await _save(me, campaign)
    if isinstance(saved, Campaign):
        return _saved(me, saved)
    if saved.code not in ("conflict", "invalid_campaign"):
        raise PageError(saved)
    return await composer(me, me.form, campaign=campaign, rejected=saved)


@post(f"{PATH}/autosave")
async def do_autosave(me: Person) -> Response[str]:
    """Saves what is in the form while it is written, and answers with the line that says so. What
    can not be saved yet is the browser's to keep."""
    needs(me, Permission.WRITE)
    campaign = await _before(me)
    draft = written(me.form, campaign)
    if campaign is None and not me.form.get("campaign_id"):
        outcome: Campaign | Rejected | None = with_faults(draft, None) if draft.faults else None
        outcome = outcome or await me.try_do(
            create_campaign, draft.wire, me.parts.check, is_being_written=True
        )
        if isinstance(outcome, Rejected):
            outcome = with_faults(draft, outcome) or outcome
    elif campaign is None:
        outcome = Rejected("not_found", "This draft was deleted. Duplicate the page's texts.")
    else:
        outcome = await _save(me, campaign)
    saved = outcome if isinstance(outcome, Campaign) else None
    rejected = outcome if isinstance(outcome, Rejected) else None
    return me.page(
        "campaigns/compose/saved.html",
        200 if rejected is None else 409 if rejected.code == "conflict" else 422,
        campaign=saved or campaign,
        seen_at=me.form.get("updated_at", "") if saved is None else saved.updated_at.isoformat(),
        rejected=rejected,
        clash=await _clash(me, campaign, rejected),
        label=field_label,
    )


@post(f"{PATH}/preview")
async def do_preview(me: Person) -> Response[str]:
    """The previews alone, of what is in the form and not saved yet."""
    needs(me, Permission.WRITE)
    before = await _before(me)
    seen = await look(me, me.form, written(me.form, before), counts=False)
    return me.page(
        "campaigns/compose/previews.html", form=me.form, **_of_languages(me.form), **seen
    )


@post(f"{PATH}/reach")
async def do_reach(me: Person) -> Response[str]:
    """Whom what is in the form would reach now."""
    needs(me, Permission.WRITE)
    forecast = await reached(me, written(me.form, await _before(me)))
    return me.page("campaigns/compose/reach.html", forecast=forecast, is_counted=True)


@post(f"{PATH}/test")
async def do_test(me: Person) -> Response[str]:
    """Sends what is in the form to a few people, or has FCM check it, and says what became of
    it."""
    needs(me, Permission.WRITE)
    campaign = await _before(me)
    draft = written(me.form, campaign)
    names = me.form.get("test_to", "").replace(",", "\n").split("\n")
    wire = {
        "content": draft.wire["content"],
        "user_ids": [name.strip() for name in names if name.strip()],
        "dry_run": "check" in me.form or not me.may_publish,
    }
    rejected: Any = with_faults(draft, None) if draft.faults else None
    rejected = rejected or await send_test(me.services, me.actor, wire, me.parts.provider)
    return await composer(me, me.form, campaign=campaign, draft=draft, tested=rejected)


@post(f"{PATH}/{{campaign_id:uuid}}/duplicate")
async def do_duplicate(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """A new draft that says the same to the same."""
    campaign = await me.ask(get_campaign, campaign_id)
    made = await me.do(duplicate_campaign, campaign_id, f"{campaign.name} (copy)"[:200])
    return me.go(f"{PATH}/{made.id}/edit", "This is the copy: change what should differ.")


async def composer(
    me: SignedIn,
    form: Mapping[str, str],
    *,
    campaign: Campaign | None = None,
    draft: Written | None = None,
    rejected: Rejected | None = None,
    tested: Any = None,
) -> Response[str]:
    """The page, with what was typed. `draft`: to be shown as it would look."""
    needs(me, Permission.WRITE)
    views = await me.ask(list_audiences, archived=False, before=None, limit=AUDIENCES_SHOWN)
    schema = await me.ask(workspace_schema, has_properties=False)
    limits = await me.ask(get_limits)
    # Whoever opens it does not wait until all are counted: the page asks for that by itself.
    counts = me.request.method != "GET"
    seen = await look(me, form, draft or written(form, campaign), counts=counts)
    status = 200
    if rejected is not None:
        status = 409 if rejected.code == "conflict" else 422
    return me.page(
        PAGE,
        status,
        campaign=campaign,
        form=form,
        audiences=[view.audience for view in views],
        traits=schema.traits[:TRAITS_SHOWN],
        events=[event.name for event in schema.events[:TRAITS_SHOWN]],
        quiet_hours=limits.quiet_hours,
        needs_approval=limits.needs_approval,
        caps=caps_on(
            limits.caps,
            category=form.get("category", "").strip() or None,
            is_transactional=bool(form.get("transactional")),
        ),
        zones=sorted(name for name in zones() if "/" in name or name == "UTC"),
        weekdays=WEEKDAYS,
        emoji=EMOJI,
        seen_at=form.get("updated_at") or (campaign.updated_at.isoformat() if campaign else ""),
        rejected=rejected,
        faults=faults_by_field(rejected),
        clash=await _clash(me, campaign, rejected),
        tested=tested,
        is_counted=counts,
        label=field_label,
        **_of_languages(form),
        **seen,
    )


async def _shown(me: SignedIn, campaign: Campaign | None) -> Response[str]:
    """What was typed, with a language more or less, or shown as somebody else sees it."""
    form, fault = with_language(me.form)
    rejected = None if fault is None else invalid(fault)
    draft = written(form, campaign)
    return await composer(me, form, campaign=campaign, draft=draft, rejected=rejected)


async def _save(me: SignedIn, campaign: Campaign) -> Campaign | Rejected:
    """The draft as the form has it, or why not, by the form's fields."""
    draft = written(me.form, campaign)
    if draft.faults:
        return with_faults(draft, None) or invalid(*draft.faults)
    seen_at = None if "anyway" in me.form else _read_time(me.form.get("updated_at", ""))
    saved = await me.try_do(
        edit_campaign,
        campaign.id,
        draft.wire,
        me.parts.check,
        seen_at=seen_at,
        is_being_written=True,
    )
    return with_faults(draft, saved) or saved if isinstance(saved, Rejected) else saved


async def _clash(
    me: SignedIn, campaign: Campaign | None, rejected: Rejected | None
) -> dict[str, Any] | None:
    """Who has saved something else meanwhile, and in which fields it differs from the form; None:
    nobody has."""
    if campaign is None or rejected is None or rejected.code != "conflict":
        return None
    theirs = form_of(campaign, me.workspace.time_zone)
    names = [name for name in {**theirs, **me.form} if name in theirs or _is_of_draft(name)]
    return {
        "who": await me.try_ask(who_changed, campaign.id),
        "differences": [
            (field_label(name), theirs.get(name, ""), me.form.get(name, ""))
            for name in names
            if theirs.get(name, "").strip() != me.form.get(name, "").strip()
        ],
    }


def _is_of_draft(name: str) -> bool:
    """Whether a field of the form is a part of the draft, and not of the page."""
    last = name.rpartition("/")[2].rpartition(".")[2]
    return last in ("title", "body", "image", "link") or name.startswith("on_")


def _of_languages(form: Mapping[str, str]) -> dict[str, Any]:
    tags = languages_in(form)
    return {"languages": {tag: language_name(tag) for tag in tags}}


async def _before(me: SignedIn) -> Campaign | None:
    """The campaign that the form changes."""
    campaign_id = read_id(me.form.get("campaign_id", ""))
    if campaign_id is None:
        return None
    campaign = await me.try_ask(get_campaign, campaign_id)
    return None if isinstance(campaign, Rejected) else campaign


def _saved(me: SignedIn, campaign: Campaign) -> Response[Any]:
    if "review" in me.form:
        return me.go(f"{PATH}/{campaign.id}/review")
    return me.go(f"{PATH}/{campaign.id}/edit", "Saved.")


def _read_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


ROUTES = [
    show_new,
    do_create,
    show_edit,
    do_edit,
    do_autosave,
    do_preview,
    do_reach,
    do_test,
    do_duplicate,
]
