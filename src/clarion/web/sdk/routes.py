"""Which path is which call: Segment's paths, its short forms, its relatives' paths. Pure.

A path is looked up as it came; one that is not found is tidied and looked up again. Nothing is ever
redirected: SDKs take a redirect for success, and the event is gone.
"""

import re

ROUTES: dict[str, str | None] = {
    "/v1/track": "track",
    "/v1/identify": "identify",
    "/v1/page": "page",
    "/v1/screen": "screen",
    "/v1/group": "group",
    "/v1/alias": "alias",
    "/v1/batch": None,
    "/v1/import": None,
    "/v1/t": "track",
    "/v1/i": "identify",
    "/v1/p": "page",
    "/v1/s": "screen",
    "/v1/g": "group",
    "/v1/a": "alias",
    "/v1/b": None,
    # RudderStack's browser SDK, where it is told to use beacons.
    "/beacon/v1/batch": None,
    # Jitsu's, from a browser and from a server.
    "/api/s/track": "track",
    "/api/s/identify": "identify",
    "/api/s/page": "page",
    "/api/s/screen": "screen",
    "/api/s/group": "group",
    "/api/s/alias": "alias",
    "/api/s/batch": None,
    "/api/s/s2s/track": "track",
    "/api/s/s2s/identify": "identify",
    "/api/s/s2s/page": "page",
    "/api/s/s2s/screen": "screen",
    "/api/s/s2s/group": "group",
    "/api/s/s2s/alias": "alias",
    "/api/s/s2s/batch": None,
    # Dittofeed's.
    "/api/public/apps/track": "track",
    "/api/public/apps/identify": "identify",
    "/api/public/apps/page": "page",
    "/api/public/apps/screen": "screen",
    "/api/public/apps/group": "group",
    "/api/public/apps/alias": "alias",
    "/api/public/apps/batch": None,
    # Intilery's tag and mobile SDKs, with the write key in every event.
    "/cdp/events/segment/t": "track",
    "/cdp/events/segment/i": "identify",
    "/cdp/events/segment/p": "page",
    "/cdp/events/segment/s": "screen",
    "/cdp/events/segment/g": "group",
    "/cdp/events/segment/a": "alias",
    "/cdp/events/segment/mobile/batch": None,
}
"""Path → the type of its one event; None: a batch. By POST."""

TYPE_IN_BODY = frozenset(
    path for path, kind in ROUTES.items() if path.startswith("/cdp/") and kind is not None
)
"""Here the type that an event gives itself counts: Intilery has screens sent to `…/t`."""

METRICS = frozenset({"/v1/m", "/cdp/events/segment/m"})
"""By POST: what analytics.js measures of itself, of which nothing is kept."""

PIXELS: dict[str, str] = {
    "/v1/pixel/track": "track",
    "/v1/pixel/identify": "identify",
    "/v1/pixel/page": "page",
    "/v1/pixel/screen": "screen",
    "/v1/pixel/group": "group",
    "/v1/pixel/alias": "alias",
    "/pixel/v1/track": "track",
    "/pixel/v1/page": "page",
}
"""Path → the type of the event in its query. By GET."""

SOURCE_CONFIG = "/sourceConfig"
"""By GET: what RudderStack's browser SDK asks before it sends."""

_SETTINGS = re.compile(r"(/customerio)?(?:/v1)?(?:/projects){1,2}/([^/]+)/settings")
_SLASHES = re.compile(r"/{2,}")


def tidied(path: str) -> str:
    """The path without what proxies and settings with a slash too many add to it."""
    path = _SLASHES.sub("/", path).rstrip("/")
    while path.startswith("/v1/v1/"):
        path = path.removeprefix("/v1")
    return path


def settings_asked(path: str) -> tuple[str, bool] | None:
    """(Write key, whether Customer.io's client asks) of a path that asks for settings."""
    match = _SETTINGS.fullmatch(path)
    return None if match is None else (match[2], match[1] is not None)
