"""/livez and /readyz: what an orchestrator asks."""

import asyncio

import msgspec
import structlog
from litestar import get

from clarion.broker import BrokerUnavailable, JobKind
from clarion.storage.database import StorageUnavailable
from clarion.web.api.errors import ApiError, ErrorCode, retry_after
from clarion.web.api.gate import PUBLIC, GivenParts

READY_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    success: bool = True


@get("/livez", summary="Whether the process answers", tags=["health"], opt={PUBLIC: True})
async def livez() -> Health:
    """Asks nobody else."""
    return Health()


@get("/readyz", summary="Whether calls can be answered", tags=["health"], opt={PUBLIC: True})
async def readyz(parts: GivenParts) -> Health:
    """Asks the database and the broker, and whether the disk has room for events."""
    what = "database"
    try:
        async with asyncio.timeout(READY_SECONDS):
            await parts.database.ping()
            what = "broker"
            await parts.broker.depth(JobKind.EVENTS)
    except (StorageUnavailable, BrokerUnavailable, TimeoutError) as error:
        log.warning("not_ready", part=what, reason=str(error) or "no answer in time")
        raise ApiError(
            ErrorCode.UNAVAILABLE, f"The {what} does not answer.", headers=retry_after()
        ) from None
    shortage = None if parts.shortage is None else await parts.shortage()
    if shortage is not None:
        raise ApiError(ErrorCode.UNAVAILABLE, shortage.message, headers=retry_after())
    return Health()
