"""How a call of a browser ends that did not go well: a page that says why, and what helps."""

from typing import Any
from urllib.parse import quote

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from clarion.broker import BrokerUnavailable
from clarion.faults import Rejected
from clarion.storage.database import StorageUnavailable, is_conflict
from clarion.web.console.page import (
    SIGN_IN,
    NotSignedIn,
    PageError,
    StaleToken,
    kept_of,
    visit_of,
)
from clarion.web.console.session_api.answers import STATUSES

TITLES = {
    400: "That could not be read",
    403: "You may not do this",
    404: "There is nothing here",
    405: "This address takes no such call",
    409: "That is not possible now",
    410: "This was removed for its age",
    413: "That was too much",
    422: "Something in it is not right",
    429: "Too many tries",
    500: "Clarion failed",
    503: "Not at this moment",
}
_MORE_STATUSES = {
    "campaign_state": 409,
    "deliveries_removed": 410,
    "invalid_campaign": 422,
    "schedule": 422,
}

log = structlog.get_logger(__name__)


def way_back(path: str) -> str:
    """The sign-in, which leads back to `path`."""
    return f"{SIGN_IN}?next={quote(path, safe='/')}"


def _not_signed_in(request: Request[Any, Any, Any], error: NotSignedIn) -> Response[Any]:
    path = request.url.path
    if request.url.query:
        path += f"?{request.url.query}"
    if request.headers.get("hx-request"):
        # What refreshes itself is only a part of a page: the page as a whole goes to the sign-in.
        path = request.headers.get("referer", "/console/").partition("//")[2].partition("/")[2]
        return Response(
            b"",
            status_code=401,
            media_type="text/html",
            headers={"HX-Redirect": way_back(f"/{path}")},
        )
    if request.method != "GET":
        path = "/console/"
        if error.kept is not None:
            return visit_of(request).page(
                "sign_in/page.html", 401, next=path, rejected=None, kept=error.kept
            )
    return Response(
        b"", status_code=303, media_type="text/html", headers={"Location": way_back(path)}
    )


def _rejected(request: Request[Any, Any, Any], error: PageError) -> Response[Any]:
    rejected = error.rejected
    status = STATUSES.get(rejected.code) or _MORE_STATUSES.get(rejected.code, 422)
    return _page(request, status, rejected)


def _stale(_: Request[Any, Any, Any], error: StaleToken) -> Response[Any]:
    """The call is refused; who has typed something there does not lose it."""
    me = error.visit
    kept = kept_of(me.request, {"many": me.many, "files": me.files})
    words = "This form belongs to another session, or to one that is over, and nothing was changed."
    if kept is None:
        words += " Go back, load the page anew, and send it again."
        return _page(me.request, 403, Rejected("csrf", words))
    words += f" What you sent is still here. You are signed in as {me.actor.name}."
    title = "Send it again?"
    return me.page("kit/resend.html", 403, title=title, words=words, kept=kept, token=me.csrf_token)


def _away(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.warning("console_unavailable", reason=str(error))
    message = "The database does not answer. Nothing was changed; load the page again in a moment."
    answer = _page(request, 503, Rejected("unavailable", message))
    answer.headers["Retry-After"] = "2"
    return answer


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code >= 500:
        return _defect(request, error)
    messages = {
        404: "The address may be mistyped, or what stood here was removed.",
        405: "Open the page from which you came, and use its buttons.",
        413: "The file or the text is larger than anything that belongs here.",
    }
    message = messages.get(error.status_code, "Go back, and send it again.")
    return _page(request, error.status_code, Rejected("http", message))


def _defect(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if is_conflict(error):
        return _away(request, error)
    log.error("console_failed", route=request.scope.get("path_template"), exc_info=error)
    message = (
        "This is a defect, and not your doing. Load the page again; where that does not help, tell "
        "whoever runs Clarion the number below, by which the log is found."
    )
    return _page(request, 500, Rejected("internal", message))


def _page(request: Request[Any, Any, Any], status: int, rejected: Rejected) -> Response[Any]:
    title = TITLES.get(status, "That did not work")
    return visit_of(request).page(
        "kit/failure.html", status, title=title, number=status, rejected=rejected
    )


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    NotSignedIn: _not_signed_in,
    StaleToken: _stale,
    PageError: _rejected,
    StorageUnavailable: _away,
    BrokerUnavailable: _away,
    HTTPException: _http,
    Exception: _defect,
}
