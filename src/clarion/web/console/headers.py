"""What every answer to a browser carries, whichever way it came about."""

from clarion.web.server import Message, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""`img-src`: pictures of campaigns are shown from wherever they stand."""
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", POLICY.encode()),
)


def guarded(send: Send) -> Send:
    """A `send` that adds them, where the answer does not say otherwise itself."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            names = {name.lower() for name, _ in own}
            more = [(name, value) for name, value in HEADERS if name not in names]
            message = {**message, "headers": [*own, *more]}
        await send(message)

    return with_headers
