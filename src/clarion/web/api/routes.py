"""What there is under `/api/v1`, by the first part of the path."""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from litestar import Router
from litestar.handlers import HTTPRouteHandler

PREFIX = "/api/v1"

ROUTES: Mapping[str, Sequence[str]] = {
    "firebase-apps": ["firebase_apps:FirebaseApps"],
    "sources": [
        "sources:Sources",
        "source_keys:WriteKeys",
        "source_keys:IdentitySecrets",
        "activity:SourceActivity",
    ],
    "keys": ["keys:Keys"],
    "customers": [
        "customers:Customers",
        "timeline:Timeline",
        "regulations:Regulations",
        "merges:Merges",
        "ownership:HeldDevices",
    ],
    "merges": ["merges:ListOfMerges"],
    "devices": ["devices:Devices", "ownership:DeviceOwners"],
    "freshness": ["freshness:Freshnesses"],
    "events": ["events:Events"],
    "imports": ["transfers:Imports"],
    "exports": ["transfers:Exports"],
    "campaigns": ["campaigns:Campaigns"],
    "deliveries": ["deliveries:Deliveries"],
    "workspace": ["workspace:WorkspaceOfCaller"],
    "workspaces": ["workspace:Workspaces"],
    "people": ["people:People"],
    "audit": ["audit:Audit"],
}
"""Module and class of what answers. Named, not imported: a command in its own process loads what
is below the noun that it asks for, and with it only the stations of that."""


def api_router(more: Sequence[HTTPRouteHandler] = (), nouns: Iterable[str] = ROUTES) -> Router:
    """The routes below `nouns`, and `more` beside them."""
    names = [name for noun in nouns for name in ROUTES.get(noun, ())]
    return Router(PREFIX, route_handlers=[*map(_controller, names), *more])


def _controller(name: str) -> Any:
    module, _, controller = name.partition(":")
    return getattr(import_module(f"clarion.web.api.{module}"), controller)
