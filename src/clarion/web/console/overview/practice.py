"""“Send me one now”: a push to the practice phone, the way that every push takes but for Firebase.

It is what an admin could do by hand, one command after the other: a source, the key of a Firebase
app, the events of an app on a phone, a push to one customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import msgspec
from litestar import Response, post

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.broker import Broker
from clarion.customers.devices.device import DeviceState
from clarion.customers.queries import show_customer
from clarion.deliveries.apps.commands import delete_app, set_app_key
from clarion.deliveries.apps.queries import FirebaseApp, list_apps
from clarion.deliveries.apps.source_commands import create_source
from clarion.deliveries.practice import PRACTICE_PROJECT, PhoneUnavailable, ShownPush
from clarion.deliveries.pushes.commands import send_push
from clarion.deliveries.pushes.push import parse_push
from clarion.faults import Rejected
from clarion.importing.commands import import_events
from clarion.privacy.commands import begin_erasure
from clarion.providers.fcm.credentials import read_service_account
from clarion.sources.commands import revoke_source
from clarion.sources.queries import SourceView, list_sources
from clarion.web.console.page import PageError, Person, SignedIn, accepted

SOURCE_NAME = "Practice phone"
LOOK_SECONDS = 0.1
LOOKS_MAX = 100
"""At whether the phone's events are taken in."""
CONTENT = {
    "title": "Hello {{ customer.first_name | default: 'there' }}",
    "body": "Your first push. It went all the way that your campaigns will go, but for Firebase.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """What the page shows of the practice phone. `app` None: it was never used."""

    app: FirebaseApp | None
    user_id: str
    pushes: Sequence[ShownPush]


async def practice_of(me: SignedIn) -> Practice | None:
    """The practice phone of this installation; None: there is none in this process."""
    phone = me.parts.phone
    if phone is None:
        return None
    app = await _app(me)
    pushes = [] if app is None else await phone.pushes()
    return Practice(app=app, user_id=_user_id(me), pushes=pushes)


@post("/console/practice")
async def do_practice(me: Person) -> Response[Any]:
    """Sets up what is missing, and sends one."""
    phone = me.parts.phone
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))
    if phone is None:
        raise PageError(Rejected("not_found", "There is no practice phone in this process."))
    try:
        address = await phone.start()
    except PhoneUnavailable as error:
        return me.go("/console/", str(error), "bad")
    source = await _source(me)
    read_key = partial(read_service_account, fcm_url=address.url)
    key = msgspec.json.encode(dict(address.key))
    await me.do(set_app_key, key, read_key, [source.id])
    if not await _is_reachable(me):
        await _register(me, source)
        if not await _comes_in(me):
            said = "The phone's events wait to be taken in. Try again in a moment."
            return me.go("/console/", said, "warn")
    request = accepted(parse_push({"user_id": _user_id(me), "content": CONTENT}, me.parts.check))
    await me.do(send_push, request)
    return me.go("/console/", "It is on its way to the phone on this page.")


@post("/console/practice/remove")
async def do_remove(me: Person) -> Response[Any]:
    """Forgets the phone, its source and whom it belongs to."""
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))
    app = await _app(me)
    if app is None:
        raise PageError(Rejected("not_found", "There is no practice phone any more."))
    for source in await me.ask(list_sources, me.now):
        if source.firebase_app_id == app.id and source.revoked_at is None:
            await me.do(revoke_source, source.id)
    await me.do(delete_app, app.id)
    if not isinstance(await me.try_ask(show_customer, _user_id(me)), Rejected):
        await me.do(begin_erasure, _user_id(me))
    if me.parts.phone is not None:
        await me.parts.phone.stop()
    return me.go("/console/", "The practice phone is gone, with all that belonged to it.")


async def _app(me: SignedIn) -> FirebaseApp | None:
    apps = await me.ask(list_apps)
    return next((app for app in apps if app.project_id == PRACTICE_PROJECT), None)


async def _source(me: SignedIn) -> SourceView:
    """The phone's own source, which is bound to no other Firebase app."""
    app = await _app(me)
    for source in await me.ask(list_sources, me.now):
        if app is not None and source.firebase_app_id == app.id and source.revoked_at is None:
            return source
    return await me.do(create_source, SOURCE_NAME, firebase_app_id=None)


async def _register(me: SignedIn, source: SourceView) -> None:
    """Do what an app does: say who signs in, and on which phone."""
    user_id, new_id = _user_id(me), me.services.clock.new_id
    properties = {
        "deviceId": f"{user_id}-phone",
        "fcmToken": f"{user_id}-token",
        "deviceType": "Android",
        "deviceModel": SOURCE_NAME,
    }
    batch = [
        {
            "type": "identify",
            "messageId": str(new_id()),
            "userId": user_id,
            "traits": {"first_name": me.actor.name},
        },
        {
            "type": "track",
            "event": "Register Push",
            "messageId": str(new_id()),
            "userId": user_id,
            "properties": properties,
        },
    ]
    body = msgspec.json.encode({"batch": batch})
    broker = cast(Broker, me.services.broker)  # commands ask for no more of it than to publish
    accepted(await import_events(me.services, broker, me.actor, source.id, body))


async def _comes_in(me: SignedIn) -> bool:
    """Whether what the phone sent is taken in soon."""
    for _ in range(LOOKS_MAX):
        if await _is_reachable(me):
            return True
        await me.services.clock.sleep(LOOK_SECONDS)
    return False


async def _is_reachable(me: SignedIn) -> bool:
    shown = await me.try_ask(show_customer, _user_id(me))
    if isinstance(shown, Rejected):
        return False
    _, devices = shown
    return any(device.state is DeviceState.ACTIVE for device in devices)


def _user_id(me: SignedIn) -> str:
    """As whom the person themselves is a customer: one for each, so that two do not share one."""
    assert me.actor.id is not None
    return f"practice-{me.actor.id.hex[-8:]}"


ROUTES = [do_practice, do_remove]
