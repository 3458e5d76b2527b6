"""Intilery's server API, to the letter: `/track/{client}/{account}/{brand}/v1/…`, plain ASGI.

A team that calls it today changes the host and the token. `auth-token` is a Clarion API key; the
brand is a source of its workspace by name; client and account say nothing that the key does not.
Events are sent (`sending`) with the scope `write`, events and profiles read with `read`.
"""

from clarion.accounts.authenticator import Authenticator
from clarion.accounts.command import Services
from clarion.clock import Clock
from clarion.events.collector import Collector
from clarion.storage.database import Database
from clarion.web.intilery.address import address_in
from clarion.web.intilery.auth import Doors
from clarion.web.intilery.ingest import KINDS, Sending
from clarion.web.intilery.read import CALLS, Reading
from clarion.web.intilery.replies import send_refusal
from clarion.web.sdk.read_body import BODY_SECONDS_MAX
from clarion.web.server import Receive, Scope, Send


class TrackApp:
    """An ASGI app for `/track/…`."""

    def __init__(
        self,
        collector: Collector,
        database: Database,
        clock: Clock,
        *,
        services: Services | None = None,
        body_seconds: float = BODY_SECONDS_MAX,
    ) -> None:
        """`services`: with which pushes are sent that events ask for; None: none is."""
        doors = Doors(database, Authenticator(database, clock), clock)
        self._sending = Sending(collector, doors, clock, body_seconds, services)
        self._reading = Reading(database, doors, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_in(scope)
        if address is None:
            path = "/track/{client}/{account}/{brand}/v1/{call}"
            await send_refusal(send, 404, "not_found", f"The path must be {path}.")
            return
        method = scope["method"]
        if address.call in CALLS:
            if method in ("GET", "HEAD"):
                await self._reading.tell(address, scope, send)
            else:
                allow = [(b"allow", b"GET, HEAD")]
                await send_refusal(send, 405, "method_not_allowed", "Read by GET.", allow)
        elif address.call in KINDS and not address.rest:
            if method == "POST":
                await self._sending.take(address, scope, receive, send)
            else:
                allow = [(b"allow", b"POST")]
                await send_refusal(send, 405, "method_not_allowed", "Send events by POST.", allow)
        else:
            await send_refusal(send, 404, "not_found", f"There is no call {address.call}.")
