"""What a browser calls under `/console`: how people sign in, and their sessions.

A session is a cookie that goes nowhere but here. Whatever changes something must come from a page
of ours (`browser.py`), and, where somebody is signed in, carry their session's CSRF token. Bodies
and answers are JSON. What is done is done by the stations' commands, as everywhere.
"""

from functools import cache

from litestar import Litestar, Router
from litestar.datastructures import ResponseHeader
from litestar.di import Provide

from clarion.accounts.command import Services
from clarion.accounts.people.passwords import PasswordHasher
from clarion.web.console.answers import EXCEPTION_HANDLERS
from clarion.web.console.caller import PARTS, Parts, comes_from_us, parts_of, signed_in
from clarion.web.console.invitations import Invitations
from clarion.web.console.password_resets import PasswordResets
from clarion.web.console.sessions import Sessions, SigningIn
from clarion.web.request_id import name_call
from clarion.web.server import Asgi, Receive, Scope, Send

PREFIX = "/console"
BODY_BYTES_MAX = 65_536


def create_console(services: Services, hasher: PasswordHasher | None = None) -> Asgi:
    """The ASGI app of everything under `/console`."""
    parts = Parts(services=services, hasher=hasher or PasswordHasher())
    app = _routes()

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        scope, send = name_call(scope, send, services.clock)
        handle: Asgi = app  # type: ignore[assignment]
        await handle({**scope, PARTS: parts}, receive, send)

    return named


@cache
def _routes() -> Litestar:
    """All routes, whoever's parts they will work with: made once in a process, which takes longer
    than most calls."""
    return Litestar(
        [Router(PREFIX, route_handlers=[SigningIn, Sessions, Invitations, PasswordResets])],
        dependencies={
            "parts": Provide(parts_of, sync_to_thread=False),
            "caller": Provide(signed_in),
        },
        guards=[comes_from_us],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=BODY_BYTES_MAX,
        response_headers=[
            ResponseHeader(name="Cache-Control", value="no-store"),
            ResponseHeader(name="X-Content-Type-Options", value="nosniff"),
            ResponseHeader(name="Referrer-Policy", value="same-origin"),
            ResponseHeader(
                name="Content-Security-Policy",
                value="default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
            ),
        ],
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
