"""What is done with one customer, and one device of theirs looked at closely."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from clarion.customers.commands import choose_category, merge_customers, unmerge_customer
from clarion.customers.devices.queries import device_history, explain_device, get_device, owners_of
from clarion.customers.profile.store import Customer
from clarion.customers.queries import show_customer
from clarion.deliveries.reasons import meaning
from clarion.deliveries.testing.commands import SKIPPED, TestPush, send_test
from clarion.faults import Rejected, not_found
from clarion.privacy.commands import begin_export, suppress, unsuppress
from clarion.privacy.data_export import open_dossier
from clarion.web.console.page import PageError, Person, SignedIn, accepted

LINES_MAX = 200
"""Of a device's history on its page: the oldest ones."""
TESTED = {
    "accepted": "FCM took it: look at the device.",
    "unregistered": "FCM knows the registration no more.",
    SKIPPED: "It was not sent.",
}


@get("/console/devices")
async def show_device(me: Person) -> Response[str]:
    """The device whose id stands in the URL as `id`: state, cure, whose it was, and why."""
    device_id = me.asked("id")
    device, owner = await me.ask(get_device, device_id)
    changes = await me.ask(device_history, device_id, limit=LINES_MAX)
    ids = [change.customer_id for change in changes]
    ids += [change.previous_customer_id for change in changes]
    return me.page(
        "customers/device.html",
        device=device,
        owner=owner,
        why=await me.ask(explain_device, device_id),
        changes=changes,
        owners=await me.ask(owners_of, ids),
        told=meaning,
    )


@post("/console/customers/{customer_id:uuid}/{act:str}")
async def do_act(me: Person, customer_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Suppress, merge, send a test, and the like."""
    way, name = f"/console/customers/{customer_id}", str(customer_id)
    match act:
        case "suppress":
            outcome: Any = await me.try_do(suppress, name)
            said = "Nothing more is collected of them, and nothing sent to them."
        case "unsuppress":
            outcome = await me.try_do(unsuppress, name)
            said = "Events are collected, and pushes sent, again."
        case "category":
            category, wants = me.form.get("category", ""), me.form.get("wants") == "1"
            outcome = await me.try_do(choose_category, name, category, is_subscribed=wants)
            said = "They get its campaigns." if wants else "They get none of its campaigns."
        case "merge":
            return await _merge(me, name)
        case "unmerge":
            outcome = await me.try_do(unmerge_customer, me.form.get("from_user", ""))
            said = "Undone: they are two customers again, each with what is their own."
        case "test-push":
            return await _test(me, name)
        case "export":
            return await _export(me, name)
        case _:
            raise PageError(Rejected("not_found", "There is no such act on customers."))
    return me.go_after(outcome, way, said)


async def _merge(me: SignedIn, name: str) -> Response[Any]:
    """From now on they count as the one whose user id was typed, whose profile follows."""
    customer, _ = await me.ask(show_customer, name)
    into = me.form.get("into", "").strip()
    if customer.user_id is None:
        merged: Any = Rejected("merge", "Who has not signed in has no user id to be merged by.")
    else:
        merged = await me.try_do(merge_customers, customer.user_id, into)
    if isinstance(merged, Rejected):
        return me.go(f"/console/customers/{name}", merged.message, "bad")
    shown = await me.try_ask(show_customer, into)
    at = name if isinstance(shown, Rejected) else str(shown[0].id)
    return me.go(f"/console/customers/{at}", f"{customer.user_id} counts as {into} from now on.")


async def _test(me: SignedIn, name: str) -> Response[Any]:
    """A push to their devices that is in no book; the answer says what became of it on each."""
    customer: Customer
    customer, _ = await me.ask(show_customer, name)
    if customer.user_id is None:
        raise PageError(not_found("customer who has signed in"))
    content = {"title": me.form.get("title", ""), "body": me.form.get("body", "")}
    wire = {"content": content, "user_ids": [customer.user_id]}
    sent = await me.try_do(send_test, wire, me.parts.provider)
    way = f"/console/customers/{name}"
    if isinstance(sent, Rejected):
        return me.go(way, sent.message, "bad")
    is_taken = any(push.outcome == "accepted" for push in sent.pushes)
    return me.go(way, " · ".join(map(_said, sent.pushes)), "ok" if is_taken else "warn")


def _said(push: TestPush) -> str:
    """What became of a test on one device."""
    words = TESTED.get(push.outcome, f"FCM said “{push.outcome}”.")
    reason = f" {meaning(push.reason).says}" if push.reason else ""
    detail = f" ({push.detail})" if push.detail else ""
    return f"{push.platform} {push.device_id}: {words}{reason}{detail}"


async def _export(me: SignedIn, name: str) -> Response[Any]:
    customer = accepted(await me.try_do(begin_export, name))
    zipped = await open_dossier(me.services.database, me.actor.workspace_id, customer, me.now)
    headers = {"Content-Disposition": 'attachment; filename="customer.zip"'}
    return Stream(zipped, media_type="application/zip", headers=headers)


ROUTES = [show_device, do_act]
