"""`/console/customers`: who is known, what they did, and what became of their pushes."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.queries import list_campaigns
from clarion.clock import from_micros, to_micros
from clarion.customers.devices.store import Change
from clarion.customers.profile.store import Customer
from clarion.customers.queries import (
    EventView,
    list_categories,
    list_customers,
    merges_of,
    search_customers,
    show_customer,
)
from clarion.deliveries.reasons import meaning
from clarion.privacy.commands import begin_erasure
from clarion.reports.queries import TimelineEntry, customer_timeline
from clarion.reports.timeline_store import Position
from clarion.reports.why_queries import why_campaign
from clarion.web.console.page import PageError, Person, SignedIn, read_id

PAGE = 50
LINES = 30
CAMPAIGNS = 50
"""The newest that were launched: of each it can be asked why it came, or did not."""
_S = CampaignState
LAUNCHED = (_S.LAUNCHING, _S.SENDING, _S.PAUSED, _S.DONE, _S.CANCELLED, _S.FAILED)
ONE = "/console/customers/{customer_id:uuid}"


@get("/console/customers")
async def show_list(me: Person) -> Response[str]:
    """Those whom `q` names; without it, all by pages."""
    words = me.asked("q").strip()
    following: UUID | None = None
    if words:
        customers = await me.ask(search_customers, words, limit=PAGE)
    else:
        customers = await me.ask(list_customers, after=read_id(me.asked("after")), limit=PAGE + 1)
        if len(customers) > PAGE:
            customers = customers[:PAGE]
            following = customers[-1].id
    return me.page(
        "customers/page.html",
        customers=customers,
        words=words,
        after=me.asked("after"),
        following=following,
        name_of=name_of,
    )


@get(ONE)
async def show_one(me: Person, customer_id: FromPath[UUID]) -> Response[str]:
    """A profile: traits, devices with their cures, and a life in one list. `why` in the URL is a
    campaign, of which it says why it came to them, or did not."""
    customer, devices = await me.ask(show_customer, str(customer_id))
    before = _position(me.asked("before"))
    entries = list(
        await me.ask(customer_timeline, str(customer_id), before=before, limit=LINES + 1)
    )
    shown = entries[:LINES]
    launched = await me.ask(list_campaigns, before=None, limit=CAMPAIGNS, states=LAUNCHED)
    asked_of = read_id(me.asked("why"))
    return me.page(
        "customers/profile.html",
        customer=customer,
        devices=devices,
        entries=[(entry.position.at, _kind(entry), entry.thing) for entry in shown],
        before=me.asked("before"),
        following=_text_of(shown[-1].position) if len(entries) > LINES else None,
        name=name_of(customer),
        told=meaning,
        campaigns=launched,
        asked_of=asked_of,
        why=None
        if asked_of is None
        else await me.ask(why_campaign, str(customer_id), asked_of, now=me.now),
        merges=[] if customer.user_id is None else await me.ask(merges_of, customer.user_id),
        categories=await me.ask(list_categories, str(customer_id)),
        may_test=me.may_publish and customer.user_id,
    )


@get(f"{ONE}/erase")
async def show_erase(me: Person, customer_id: FromPath[UUID]) -> Response[str]:
    """Names what is lost by it; the name is typed."""
    return await _erase_page(me, customer_id, "")


@post(f"{ONE}/erase")
async def do_erase(me: Person, customer_id: FromPath[UUID]) -> Response[Any]:
    """Begins it, once their id was typed."""
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))
    customer, _ = await me.ask(show_customer, str(customer_id))
    if me.form.get("typed", "").strip() != typed_for(customer):
        return await _erase_page(me, customer_id, "is not the same")
    await me.do(begin_erasure, str(customer_id))
    said = "The erasure has begun. It goes on by itself until nothing is left."
    return me.go("/console/customers", said)


async def _erase_page(me: SignedIn, customer_id: UUID, fault: str) -> Response[str]:
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))
    customer, devices = await me.ask(show_customer, str(customer_id))
    return me.page(
        "customers/erase.html",
        422 if fault else 200,
        customer=customer,
        devices=devices,
        name=name_of(customer),
        typed_for=typed_for(customer),
        fault=fault,
    )


def typed_for(customer: Customer) -> str:
    """What is typed before this person is erased."""
    return customer.user_id or str(customer.id)


def name_of(customer: Customer) -> str:
    """What people call them by, from the traits that SDKs know; empty: nothing was said."""
    traits = customer.traits
    whole = traits.get("name")
    parts = [traits.get(key) for key in ("first_name", "last_name")]
    if not any(parts):
        parts = [traits.get(key) for key in ("firstName", "lastName")]
    told_name = whole if isinstance(whole, str) else " ".join(str(part) for part in parts if part)
    return told_name.strip()


def _kind(entry: TimelineEntry) -> str:
    if isinstance(entry.thing, EventView):
        return "event"
    return "change" if isinstance(entry.thing, Change) else "push"


def _text_of(position: Position) -> str:
    first, second = position.key
    return f"{to_micros(position.at)}.{position.rank}.{first}.{second}"


def _position(text: str) -> Position | None:
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isdecimal() and len(part) <= 40 for part in parts):
        return None
    at, rank, first, second = map(int, parts)
    try:
        return Position(from_micros(at), rank, (first, second))
    except (OverflowError, ValueError):
        return None


ROUTES = [show_list, show_one, show_erase, do_erase]
