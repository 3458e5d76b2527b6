"""`/`: what this is and where to go on, for whoever opens the address that the server has told."""

from html import escape
from typing import Any

from litestar import Request, Response, get

from clarion import __version__
from clarion.web.api.gate import PUBLIC

ABOUT = "Clarion: events in, campaigns out through Firebase Cloud Messaging."
PLACES = {
    "api": ("/api/v1/docs", "Every call of the API, with examples. Calls need an API key."),
    "openapi": ("/api/v1/openapi.json", "The same as an OpenAPI document."),
    "collect": ("/v1/batch", "Where apps send events, by POST, with a source's write key."),
    "health": ("/readyz", "Whether calls can be answered; /livez: whether the process answers."),
    "metrics": ("/metrics", "For Prometheus."),
}
"""What there is → its path, and what it is."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }
dt { font: 14px ui-monospace, monospace; margin-top: .8rem; } dd { margin: 0; opacity: .8; }
"""


@get("/", include_in_schema=False, opt={PUBLIC: True})
async def welcome(request: Request[Any, Any, Any]) -> Response[Any]:
    """A page for browsers, JSON for everybody else."""
    varying = {"Vary": "Accept"}
    if "text/html" not in request.headers.get("accept", ""):
        paths = {name: path for name, (path, _) in PLACES.items()}
        body = {"success": True, "about": ABOUT, "version": __version__, **paths}
        return Response(body, headers=varying)
    headers = {**varying, "Content-Security-Policy": _POLICY}
    return Response(_page(), media_type="text/html", headers=headers)


def _page() -> str:
    places = "".join(
        f'<dt><a href="{path}">{path}</a></dt><dd>{escape(text)}</dd>'
        if name != "collect"  # a link gets, and events are posted
        else f"<dt>{path}</dt><dd>{escape(text)}</dd>"
        for name, (path, text) in PLACES.items()
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Clarion</title><style>{_STYLE}</style></head>\n<body>\n"
        f"<h1>Clarion {escape(__version__)}</h1>\n<p>{escape(ABOUT)}</p>\n<p>"
        "The first write key and API key were printed by its first start; "
        "<code>clarion keys create</code> and <code>clarion sources create</code> make more.</p>\n"
        f"<dl>{places}</dl>\n</body>\n</html>\n"
    )
