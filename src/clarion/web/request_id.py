"""A name for each call: the caller's own where it can go into a log as it is, else a new one."""

import re

from clarion.clock import Clock
from clarion.web.server import Message, Scope, Send

REQUEST_ID = "clarion_request_id"
"""Where the name is in the call's ASGI scope."""
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")


def name_call(scope: Scope, send: Send, clock: Clock) -> tuple[Scope, Send]:
    """The scope with the name in it, and a `send` that answers it as X-Request-Id."""
    request_id = _named_by_caller(scope) or str(clock.new_id())

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            message = {**message, "headers": headers}
        await send(message)

    return {**scope, REQUEST_ID: request_id}, named


def _named_by_caller(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name.lower() == b"x-request-id" and _SANE.fullmatch(value):
            return str(value.decode("ascii"))
    return None
