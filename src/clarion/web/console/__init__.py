"""The console: what people do with Clarion in a browser, under `/console`.

Pages are rendered here, on the server; a page works without JavaScript, which only spares reloads.
The console holds no rule and no SQL: a handler reads the URL or a form, calls the stations'
commands and queries, and shows what they return. A session is a cookie that goes nowhere but here;
whatever changes something must come from a page of ours (`browser.py`) and carry its token.

`session_api/` is how programs sign in: the same, with JSON.
"""

from clarion.accounts.command import Services
from clarion.accounts.people.passwords import PasswordHasher
from clarion.deliveries.practice import PracticePhone
from clarion.deliveries.provider import TryingProvider
from clarion.web.console.browser import asks_for_page
from clarion.web.console.headers import guarded
from clarion.web.console.parts import PARTS, Parts
from clarion.web.request_id import name_call
from clarion.web.server import Asgi, Receive, Scope, Send


def create_console(
    services: Services,
    hasher: PasswordHasher | None = None,
    *,
    provider: TryingProvider,
    phone: PracticePhone | None = None,
    fcm_url: str | None = None,
    public_url: str | None = None,
) -> Asgi:
    """The ASGI app of everything under `/console`, and of `/` for browsers."""
    parts = Parts(
        services=services,
        hasher=hasher or PasswordHasher(),
        provider=provider,
        phone=phone,
        fcm_url=fcm_url,
        public_url=public_url,
    )

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        scope, send = name_call(scope, send, services.clock)
        scope = {**scope, PARTS: parts}
        if asks_for_page(scope):
            await _pages()(scope, receive, guarded(send))
        else:
            await _session_api()(scope, receive, send)

    return named


def _pages() -> Asgi:
    from clarion.web.console.routes import page_routes

    app: Asgi = page_routes()  # type: ignore[assignment]
    return app


def _session_api() -> Asgi:
    from clarion.web.console.session_api import session_routes

    app: Asgi = session_routes()  # type: ignore[assignment]
    return app
