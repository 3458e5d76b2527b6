"""What there is under `/api/v1`, by the first part of the path."""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from litestar import Router
from litestar.handlers import HTTPRouteHandler

PREFIX = "/api/v1"

ROUTES: Mapping[str, Sequence[str]] = {
    "firebase-apps": ["sources.firebase_apps:FirebaseApps"],
    "sources": [
        "sources.sources:Sources",
        "sources.keys:WriteKeys",
        "sources.keys:IdentitySecrets",
        "sources.activity:SourceActivity",
    ],
    "keys": ["accounts.keys:Keys"],
    "customers": [
        "customers.customers:Customers",
        "customers.timeline:Timeline",
        "customers.regulations:Regulations",
        "customers.merges:Merges",
        "customers.ownership:HeldDevices",
        "customers.why:CampaignOfCustomer",
        "customers.categories:Categories",
    ],
    "merges": ["customers.merges:ListOfMerges"],
    "devices": ["customers.devices:Devices", "customers.ownership:DeviceOwners"],
    "freshness": ["customers.freshness:Freshnesses"],
    "events": ["customers.events:Events"],
    "imports": ["transfers:Imports"],
    "exports": ["transfers:Exports"],
    "audiences": ["audiences.audiences:Audiences"],
    "schema": ["audiences.audiences:SchemaOfWorkspace"],
    "campaigns": [
        "campaigns.campaigns:Campaigns",
        "campaigns.keeping:KeptCampaign",
        "campaigns.launches:CampaignLaunches",
        "campaigns.launches:CampaignActivity",
        "campaigns.content_check:ContentChecks",
        "campaigns.approvals:CampaignApprovals",
    ],
    "launches": ["campaigns.launches:Launches", "campaigns.deliveries:LaunchDeliveries"],
    "pushes": ["campaigns.pushes:Pushes"],
    "deliveries": ["campaigns.deliveries:Deliveries"],
    "workspace": [
        "accounts.workspace:WorkspaceOfCaller",
        "accounts.retention:RetentionOfWorkspace",
        "campaigns.limits:LimitsOfWorkspace",
    ],
    "workspaces": ["accounts.workspace:Workspaces"],
    "people": ["accounts.people:People"],
    "audit": ["accounts.audit:Audit"],
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
