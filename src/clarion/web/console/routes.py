"""All pages, made once in a process."""

from functools import cache
from pathlib import Path
from typing import Any

from litestar import Litestar, Response, get
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from clarion.faults import Rejected
from clarion.web.console.audiences.view import ROUTES as AUDIENCES
from clarion.web.console.browser import SAFE_METHODS, is_from_us
from clarion.web.console.campaigns.calendar.view import ROUTES as CALENDAR
from clarion.web.console.campaigns.compose.view import ROUTES as COMPOSE
from clarion.web.console.campaigns.list.view import ROUTES as CAMPAIGNS
from clarion.web.console.campaigns.report.view import ROUTES as REPORT
from clarion.web.console.campaigns.review.view import ROUTES as REVIEW
from clarion.web.console.connections.firebase import ROUTES as FIREBASE
from clarion.web.console.connections.freshness import ROUTES as FRESHNESS
from clarion.web.console.connections.identity import ROUTES as IDENTITY
from clarion.web.console.connections.sources import ROUTES as SOURCES
from clarion.web.console.customers.acts import ROUTES as CUSTOMER_ACTS
from clarion.web.console.customers.view import ROUTES as CUSTOMERS
from clarion.web.console.failures import EXCEPTION_HANDLERS
from clarion.web.console.me.view import ROUTES as ME
from clarion.web.console.overview.view import ROUTES as HOME
from clarion.web.console.page import PageError, Person, person_of, visitor_of
from clarion.web.console.settings.sending import ROUTES as SENDING
from clarion.web.console.settings.view import ROUTES as SETTINGS
from clarion.web.console.sign_in.view import ROUTES as SIGN_IN
from clarion.web.console.static_files import static_file

SCREENS = [
    *SIGN_IN,
    *HOME,
    *CAMPAIGNS,
    *CALENDAR,
    *COMPOSE,
    *REVIEW,
    *REPORT,
    *CUSTOMERS,
    *CUSTOMER_ACTS,
    *AUDIENCES,
    *SOURCES,
    *IDENTITY,
    *FIREBASE,
    *FRESHNESS,
    *SETTINGS,
    *SENDING,
    *ME,
]
"""Every page and every act of the console."""
BODY_BYTES_MAX = 1_048_576
"""Room for a campaign's texts and for a key of Firebase's, of 2 KB, put in as a file."""


@get("/", include_in_schema=False)
async def to_console() -> Response[bytes]:
    """A browser that opens the bare address."""
    headers = {"Location": "/console/", "Vary": "Accept"}
    return Response(b"", status_code=303, media_type="text/html", headers=headers)


@get("/console/{rest:path}", include_in_schema=False)
async def nothing_here(me: Person, rest: FromPath[Path]) -> Response[None]:
    """Whatever is no page."""
    message = "The address may be mistyped, or what stood here was removed."
    raise PageError(Rejected("not_found", message))


def comes_from_us(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """A guard: rejects calls of other sites' pages (CSRF)."""
    if connection.scope.get("method") in SAFE_METHODS or is_from_us(connection.scope):
        return
    raise PageError(Rejected("csrf", "This call does not come from a page of this console."))


@cache
def page_routes() -> Litestar:
    """The app of all pages."""
    return Litestar(
        [to_console, static_file, *SCREENS, nothing_here],
        dependencies={"visit": Provide(visitor_of), "me": Provide(person_of)},
        guards=[comes_from_us],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
