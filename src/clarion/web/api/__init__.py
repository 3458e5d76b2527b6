"""The management API, `/api/v1`: everything that people and scripts do with Clarion over HTTP.

Litestar routes; msgspec structs are what goes over the wire and nothing further; handlers read and
write through the stations' stores. Whoever calls holds an API key (`accounts/authenticator.py`);
every error is one of `errors.py`; the description at `/api/v1/openapi.json` is made from the
handlers themselves.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from litestar import Litestar
from litestar.datastructures import ResponseHeader
from litestar.di import Provide
from litestar.middleware import DefineMiddleware

from clarion.broker import Broker
from clarion.clock import Clock
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.storage.vault import Vault
from clarion.web.api.bodies import BODY_BYTES_MAX
from clarion.web.api.gate import Gate, KnowsCaller, Parts, caller_of, knows_parameters, parts_of
from clarion.web.api.refusing import EXCEPTION_HANDLERS, IN_PROCESS_HANDLERS
from clarion.web.api.routes import api_router
from clarion.web.api.sources.streams import Streams
from clarion.web.server import Asgi

if TYPE_CHECKING:
    from clarion.deliveries.provider import TryingProvider


def create_api(
    database: Database,
    broker: Broker,
    clock: Clock,
    provider: "TryingProvider",
    vault: Vault,
    streams: Streams | None = None,
    *,
    fcm_url: str | None = None,
    shortage: Callable[[], Awaitable[Rejected | None]] | None = None,
) -> Asgi:
    """The ASGI app of `/`, `/api/v1`, `/livez` and `/readyz`. `streams`: to be closed before the
    server is stopped, which waits for what it is still answering."""
    parts = Parts(
        database=database,
        broker=broker,
        clock=clock,
        provider=provider,
        vault=vault,
        streams=streams or Streams(),
        fcm_url=fcm_url,
        shortage=shortage,
    )
    return Gate(_all_routes(), parts)


def create_local_api(parts: Parts, noun: str) -> Asgi:
    """The ASGI app of what is below `/api/v1/NOUN`, for a caller in this process, who is handed the
    exceptions of what fails, in the place of an answer of 500 or 503."""
    return Gate(_routes([api_router(nouns=[noun])], IN_PROCESS_HANDLERS), parts)


@cache
def _all_routes() -> Litestar:
    """Made once in a process: that takes longer than most of what they answer."""
    # What says of the API what it is: not for a command in its own process, which starts sooner.
    from clarion.web.api.description.description import docs, docs_script, openapi
    from clarion.web.api.health import livez, readyz
    from clarion.web.api.welcome import welcome

    api = api_router([openapi, docs, docs_script])
    return _routes([api, welcome, livez, readyz], EXCEPTION_HANDLERS)


def _routes(routes: Sequence[Any], handlers: dict[int | type[Exception], Any]) -> Litestar:
    return Litestar(
        routes,
        dependencies={
            "parts": Provide(parts_of, sync_to_thread=False),
            "caller": Provide(caller_of, sync_to_thread=False),
        },
        middleware=[DefineMiddleware(KnowsCaller)],
        guards=[knows_parameters],
        exception_handlers=handlers,
        request_max_body_size=BODY_BYTES_MAX,
        response_headers=[
            ResponseHeader(name="Cache-Control", value="no-store"),
            ResponseHeader(name="X-Content-Type-Options", value="nosniff"),
        ],
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
