"""/livez and /readyz: what an orchestrator asks."""

import msgspec
from litestar import get

from clarion.web.api.errors import ApiError, ErrorCode, retry_after
from clarion.web.api.gate import PUBLIC, GivenParts
from clarion.web.probes import unready_part


class Health(msgspec.Struct, frozen=True, kw_only=True):
    success: bool = True


@get("/livez", summary="Whether the process answers", tags=["health"], opt={PUBLIC: True})
async def livez() -> Health:
    """Asks nobody else."""
    return Health()


@get("/readyz", summary="Whether calls can be answered", tags=["health"], opt={PUBLIC: True})
async def readyz(parts: GivenParts) -> Health:
    """Asks the database and the broker, and whether the disk has room for events."""
    part = await unready_part(parts.database, parts.broker, parts.outage)
    if part is not None:
        raise ApiError(ErrorCode.UNAVAILABLE, f"The {part} does not answer.", headers=retry_after())
    await parts.check_room()
    return Health()
