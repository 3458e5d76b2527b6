"""Where a JetStream broker is: what CLARION_BROKER_URL says. Pure."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

STREAM = "clarion"
SCHEMES = ("nats", "tls")
REPLICAS = ("1", "3", "5")


@dataclass(frozen=True, slots=True, kw_only=True)
class JetStreamAddress:
    """The servers, tried in random order, and the stream in them. No secret is in its repr."""

    servers: tuple[str, ...] = field(repr=False)
    stream: str = STREAM
    """Installations that share a NATS account need one each."""
    replicas: int | None = None
    """None: one copy, or as many as the stream already has."""


def read_url(url: str) -> JetStreamAddress:
    """`nats://[USER:PASSWORD@]HOST[:PORT]`, several with commas between; `tls://` for TLS; then
    `?stream=NAME&replicas=N`, each where it is wanted. Raises ValueError with the cure, and without
    the URL, which may hold a password."""
    servers, _, query = url.partition("?")
    for server in servers.split(","):
        try:
            parts = urlsplit(server)
            _ = parts.port
        except ValueError:
            raise ValueError("has a port that is not a number up to 65535") from None
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise ValueError("must be `database` or nats://HOST:PORT")
    options = dict(parse_qsl(query, keep_blank_values=True))
    stream = options.pop("stream", STREAM)
    replicas = options.pop("replicas", None)
    if options:
        raise ValueError(f"may say stream and replicas after the ?, not {', '.join(options)}")
    if not stream.isascii() or not stream.replace("-", "").replace("_", "").isalnum():
        raise ValueError("may have letters, digits, - and _ in the name of the stream")
    if replicas is not None and replicas not in REPLICAS:
        raise ValueError(f"may ask for {', '.join(REPLICAS)} replicas, not {replicas}")
    return JetStreamAddress(
        servers=tuple(servers.split(",")),
        stream=stream,
        replicas=None if replicas is None else int(replicas),
    )
