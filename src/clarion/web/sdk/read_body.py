"""A body as it arrives: in one piece or many, never more than may be, never for ever."""

import asyncio

from clarion.events.calls.body import BODY_BYTES_MAX, too_large
from clarion.faults import Rejected
from clarion.web.server import Receive

BODY_SECONDS_MAX = 60.0
"""How long a body may take to arrive; then the call is to come again."""


async def read_body(
    receive: Receive, seconds_max: float, bytes_max: int = BODY_BYTES_MAX
) -> bytes | Rejected | None:
    """The whole body; a fault where it is too large; None where the caller went away. Raises
    TimeoutError where it takes too long."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        return body if len(body) <= bytes_max else too_large(bytes_max)
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(seconds_max):
        while message["type"] == "http.request":
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > bytes_max:
                return too_large(bytes_max)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)
            message = await receive()
    return None
