"""`/console/campaigns/new` and `…/edit`: one page, any order, with live previews."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.audiences.saved.queries import list_audiences
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.commands import create_campaign, duplicate_campaign, edit_campaign
from clarion.campaigns.preview import Preview
from clarion.campaigns.queries import get_campaign, preview_new
from clarion.customers.devices.device import Platform
from clarion.faults import Rejected
from clarion.web.console.campaigns.compose.form import (
    Written,
    empty_form,
    form_of,
    with_faults,
    written,
)
from clarion.web.console.campaigns.compose.limits import measured
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field, read_id

AUDIENCES_SHOWN = 200
PATH = "/console/campaigns"


@get(f"{PATH}/new")
async def show_new(me: Person) -> Response[str]:
    _needs_write(me)
    return await _composer(me, empty_form())


@post(PATH)
async def do_create(me: Person) -> Response[Any]:
    """Saves a new draft, or shows its previews where that was asked for."""
    draft = written(me.form)
    if "preview" in me.form:
        return await _composer(me, me.form, draft=draft)
    if draft.faults:
        return await _composer(me, me.form, rejected=with_faults(draft, None))
    made = await me.try_do(create_campaign, draft.wire, me.parts.check)
    if isinstance(made, Rejected):
        return await _composer(me, me.form, rejected=with_faults(draft, made))
    return _saved(me, made)


@get(f"{PATH}/{{campaign_id:uuid}}/edit")
async def show_edit(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """The composer of a draft; of any other campaign, its report, which says what can be done."""
    campaign = await me.ask(get_campaign, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        return me.go(
            f"{PATH}/{campaign_id}", "It is no draft any more, and stays as it is.", "info"
        )
    _needs_write(me)
    form = form_of(campaign)
    return await _composer(me, form, campaign=campaign, draft=written(form, campaign))


@post(f"{PATH}/{{campaign_id:uuid}}/edit")
async def do_edit(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Saves the draft, unless somebody else has saved it since it was opened."""
    campaign = await me.ask(get_campaign, campaign_id)
    draft = written(me.form, campaign)
    if "preview" in me.form:
        return await _composer(me, me.form, campaign=campaign, draft=draft)
    if draft.faults:
        rejected = with_faults(draft, None)
        return await _composer(me, me.form, campaign=campaign, rejected=rejected)
    seen_at = None if "anyway" in me.form else _read_time(me.form.get("updated_at", ""))
    saved = await me.try_do(edit_campaign, campaign_id, draft.wire, me.parts.check, seen_at=seen_at)
    if isinstance(saved, Rejected):
        if saved.code not in ("conflict", "invalid_campaign"):
            raise PageError(saved)
        rejected = with_faults(draft, saved)
        return await _composer(me, me.form, campaign=campaign, rejected=rejected)
    return _saved(me, saved)


@post(f"{PATH}/preview")
async def do_preview(me: Person) -> Response[str]:
    """The previews alone, of what is in the form and not saved yet."""
    before = await _before(me)
    draft = written(me.form, before)
    shown = await _preview(me, draft, me.form.get("preview_for", ""))
    return me.page("campaigns/compose/previews.html", **_previewed(shown, draft))


@post(f"{PATH}/{{campaign_id:uuid}}/duplicate")
async def do_duplicate(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """A new draft that says the same to the same."""
    campaign = await me.ask(get_campaign, campaign_id)
    made = await me.do(duplicate_campaign, campaign_id, f"{campaign.name} (copy)"[:200])
    return me.go(f"{PATH}/{made.id}/edit", "This is the copy: change what should differ.")


async def _composer(
    me: SignedIn,
    form: Mapping[str, str],
    *,
    campaign: Campaign | None = None,
    draft: Written | None = None,
    rejected: Rejected | None = None,
) -> Response[str]:
    """The page, with what was typed. `draft`: to be shown as it would look."""
    _needs_write(me)
    views = await me.ask(list_audiences, archived=False, before=None, limit=AUDIENCES_SHOWN)
    draft = draft or (None if campaign is None and rejected is None else written(form, campaign))
    shown = None if draft is None else await _preview(me, draft, form.get("preview_for", ""))
    status = 200
    if rejected is not None:
        status = 409 if rejected.code == "conflict" else 422
    return me.page(
        "campaigns/compose/page.html",
        status,
        campaign=campaign,
        form=form,
        audiences=[view.audience for view in views],
        rejected=rejected,
        faults=faults_by_field(rejected),
        **_previewed(shown, draft),
    )


async def _preview(me: SignedIn, draft: Written, customer: str) -> Preview | Rejected:
    wire = draft.wire
    if not wire["name"].strip():
        wire = wire | {"name": "unnamed"}  # what is typed last does not hold up the preview
    return await me.try_ask(
        preview_new, wire, me.parts.check, customer=customer.strip() or None, now=me.now
    )


def _previewed(shown: Preview | Rejected | None, draft: Written | None) -> dict[str, Any]:
    rejected = shown if isinstance(shown, Rejected) else None
    told = None if draft is None else with_faults(draft, rejected)
    preview = None if isinstance(shown, Rejected) else shown
    return {
        "preview": preview,
        "cuts": {} if preview is None else cuts_of(preview),
        "preview_rejected": told,
    }


def cuts_of(preview: Preview) -> dict[str, Any]:
    """How much of the texts each place shows, by platform."""
    return {name: measured(content, Platform(name)) for name, content in preview.platforms.items()}


async def _before(me: SignedIn) -> Campaign | None:
    """The campaign that the form changes."""
    campaign_id = read_id(me.form.get("campaign_id", ""))
    if campaign_id is None:
        return None
    found = await me.try_ask(get_campaign, campaign_id)
    return None if isinstance(found, Rejected) else found


def _saved(me: SignedIn, campaign: Campaign) -> Response[Any]:
    if "review" in me.form:
        return me.go(f"{PATH}/{campaign.id}/review")
    return me.go(f"{PATH}/{campaign.id}/edit", "Saved.")


def _needs_write(me: SignedIn) -> None:
    if not me.may_write:
        raise PageError(forbidden(Permission.WRITE))


def _read_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


ROUTES = [show_new, do_create, show_edit, do_edit, do_preview, do_duplicate]
