"""`/`: what this is and where to go on, for whoever opens the address that the server has told."""

from typing import Any

from litestar import get

from clarion import __version__
from clarion.web.api.gate import PUBLIC

ABOUT = "Clarion: events in, campaigns out through Firebase Cloud Messaging."
PLACES = {
    "console": ("/console/", "For people, in a browser."),
    "api": ("/api/v1/docs", "Every call of the API, with examples. Calls need an API key."),
    "openapi": ("/api/v1/openapi.json", "The same as an OpenAPI document."),
    "collect": ("/v1/batch", "Where apps send events, by POST, with a source's write key."),
    "health": ("/readyz", "Whether calls can be answered; /livez: whether the process answers."),
    "metrics": ("/metrics", "For Prometheus."),
}
"""What there is → its path, and what it is."""


@get("/", include_in_schema=False, opt={PUBLIC: True})
async def welcome() -> dict[str, Any]:
    """Where to go on. A browser is led to the console before it comes here."""
    paths = {name: path for name, (path, _) in PLACES.items()}
    return {"success": True, "about": ABOUT, "version": __version__, **paths}
