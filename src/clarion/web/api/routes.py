"""What there is under `/api/v1`."""

from collections.abc import Sequence

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from clarion.web.api.activity import SourceActivity
from clarion.web.api.audit import Audit
from clarion.web.api.campaigns import Campaigns
from clarion.web.api.customers import Customers
from clarion.web.api.deliveries import Deliveries
from clarion.web.api.devices import Devices
from clarion.web.api.events import Events
from clarion.web.api.firebase_apps import FirebaseApps
from clarion.web.api.freshness import Freshnesses
from clarion.web.api.keys import Keys
from clarion.web.api.merges import Merges
from clarion.web.api.ownership import Ownerships
from clarion.web.api.people import People
from clarion.web.api.regulations import Regulations
from clarion.web.api.source_keys import IdentitySecrets, WriteKeys
from clarion.web.api.sources import Sources
from clarion.web.api.timeline import Timeline
from clarion.web.api.workspace import WorkspaceOfCaller, Workspaces

PREFIX = "/api/v1"


def api_router(more: Sequence[HTTPRouteHandler] = ()) -> Router:
    """The API's routes, and `more` beside them."""
    return Router(
        PREFIX,
        route_handlers=[
            FirebaseApps,
            Sources,
            WriteKeys,
            IdentitySecrets,
            SourceActivity,
            Keys,
            Customers,
            Timeline,
            Regulations,
            Merges,
            Devices,
            Ownerships,
            Freshnesses,
            Events,
            Campaigns,
            Deliveries,
            WorkspaceOfCaller,
            Workspaces,
            People,
            Audit,
            *more,
        ],
    )
