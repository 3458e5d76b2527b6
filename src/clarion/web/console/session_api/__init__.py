"""How people sign in, and their sessions, for programs: bodies and answers are JSON.

The same as the pages beside this do: whatever changes something must come from a page of ours
(`browser.py`), and, where somebody is signed in, carry their session's CSRF token.
"""

from functools import cache

from litestar import Litestar, Router
from litestar.datastructures import ResponseHeader
from litestar.di import Provide

from clarion.web.console.session_api.answers import EXCEPTION_HANDLERS
from clarion.web.console.session_api.caller import comes_from_us, parts_of, signed_in
from clarion.web.console.session_api.invitations import Invitations
from clarion.web.console.session_api.password_resets import PasswordResets
from clarion.web.console.session_api.sessions import Sessions, SigningIn

BODY_BYTES_MAX = 65_536


@cache
def session_routes() -> Litestar:
    """All routes, whoever's parts they will work with: made once in a process, which takes longer
    than most calls."""
    return Litestar(
        [Router("/console", route_handlers=[SigningIn, Sessions, Invitations, PasswordResets])],
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
