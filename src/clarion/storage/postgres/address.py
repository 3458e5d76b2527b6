"""Where a PostgreSQL database is: what CLARION_DATABASE_URL says, in libpq's words. Pure.

What hosted databases hand out is understood, or refused by name: an option that would silently do
nothing is worse than one that is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

SCHEMES = ("postgresql://", "postgres://", "postgresql+asyncpg://")
CONNECT_SECONDS = 10.0
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SESSIONS = ("any", "primary", "standby", "read-write", "read-only", "prefer-standby")
HOW = "must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST[:PORT]/NAME"
ENCODE = (
    "can not be read: characters of the user or password that mean something in a URL have to be "
    "percent-encoded (@ as %40, / as %2F, # as %23, ? as %3F, : as %3A)"
)

_DRIVERS = frozenset(
    {
        "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation",
        "ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs", "passfile",
        "user", "password", "host", "port", "dbname", "krbsrvname",
    }
)  # fmt: skip
"""What the driver knows by itself."""
_SERVERS = ("application_name", "options", "search_path")
"""What is told to the server when a connection begins."""
_TUNING = (
    "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
)  # fmt: skip
"""Clarion sets these by itself, and not more patiently than anybody would."""
_POOLERS = ("pgbouncer", "prepared_statements", "statement_cache_size",
            "prepared_statement_cache_size")  # fmt: skip
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """How to connect. No secret is in its repr."""

    dsn: str = field(repr=False)
    """With the options that the driver knows, and no others."""
    server_settings: Mapping[str, str]
    connect_seconds: float = CONNECT_SECONDS
    verifies_host: bool = False
    """The server's certificate has to be that of its host; `has_authorities`: by a file that the
    URL names, else by the authorities that the system trusts."""
    has_authorities: bool = False
    is_pooled: bool | None = None
    """Whether connections share the server's sessions, as PgBouncer's do; None: to be found out."""


def read_postgres_url(url: str) -> PostgresAddress:
    """Raises ValueError with the cure, and without the URL, which may hold a password."""
    base, _, query = _plain(url).partition("?")
    _check_base(base)
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise ValueError(
            "has options after the ? that are not NAME=VALUE, with & between"
        ) from None
    if "@" not in base and not urlsplit(base).hostname and "host" not in options:
        raise ValueError(HOW)
    if not urlsplit(base).path.strip("/") and not options.get("dbname"):
        raise ValueError(HOW)
    _rename(options)
    verifies_host = _take_ssl(options)
    settings = {name: options.pop(name) for name in _SERVERS if name in options}
    fallback = options.pop("fallback_application_name", "clarion")
    settings.setdefault("application_name", fallback)
    connect_seconds = _seconds(options.pop("connect_timeout", None))
    is_pooled = _pooled(options)
    for name in _TUNING:
        options.pop(name, None)
    _one_of(options, "target_session_attrs", SESSIONS)
    unknown = sorted(set(options) - _DRIVERS)
    if unknown:
        raise ValueError(
            f"has the option {', '.join(unknown)}, which Clarion does not know: take it out. Known "
            f"are {', '.join(sorted((*_DRIVERS, *_SERVERS, 'connect_timeout', 'pgbouncer')))}"
        )
    return PostgresAddress(
        dsn=base + ("?" + urlencode(options, quote_via=quote) if options else ""),
        server_settings=settings,
        connect_seconds=connect_seconds,
        verifies_host=verifies_host,
        has_authorities="sslrootcert" in options,
        is_pooled=is_pooled,
    )


def _plain(url: str) -> str:
    for scheme in SCHEMES:
        if url.startswith(scheme):
            return "postgresql://" + url.removeprefix(scheme)
    raise ValueError(HOW)


def _check_base(base: str) -> None:
    """Several hosts may be named, with commas between."""
    if "#" in base or base.count("@") > 1:
        raise ValueError(ENCODE)
    netloc = base.removeprefix("postgresql://").partition("/")[0]
    for host in netloc.rpartition("@")[2].split(","):
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not port.isdecimal() and "@" not in netloc:
            raise ValueError(ENCODE)  # a password with a / or a ?, cut off there
        if port and (not port.isdecimal() or int(port) > 65_535):
            raise ValueError("has a port that is not a number up to 65535")
    try:
        unquote(netloc, errors="strict")
        urlsplit(base)
    except ValueError:
        raise ValueError(ENCODE) from None


def _rename(options: dict[str, str]) -> None:
    """Other drivers' names for the same."""
    if "ssl" in options:
        ssl = options.pop("ssl").lower()
        mode = "require" if ssl in _YES else "disable" if ssl in _NO else ssl
        options.setdefault("sslmode", mode)
    if "database" in options:
        options.setdefault("dbname", options.pop("database"))
    encoding = options.pop("client_encoding", "utf8").lower().replace("-", "")
    if encoding not in ("utf8", "unicode", "auto"):
        raise ValueError("may only have client_encoding=utf8")
    if options.pop("gssencmode", "disable") == "require":
        raise ValueError(
            "asks for gssencmode=require, which Clarion can not do: encrypt by TLS, with "
            "sslmode=verify-full"
        )


def _take_ssl(options: dict[str, str]) -> bool:
    """Whether the server has to prove that it is the host: `options` then says where by, or no
    more."""
    _one_of(options, "sslmode", SSL_MODES)
    _one_of(options, "channel_binding", ("disable", "prefer", "require"))
    # The driver can not bind the channel. What that protects from, somebody in between, the
    # certificate does, too, if it is looked at.
    binds = options.pop("channel_binding", "prefer") == "require"
    if options.get("sslrootcert") == "system":
        binds = True
        del options["sslrootcert"]
    if binds and options.get("sslmode") in ("disable", "allow"):
        raise ValueError("asks for channel_binding or sslrootcert without TLS: say sslmode=require")
    if binds:
        options["sslmode"] = "verify-full"
    return options.get("sslmode") == "verify-full"


def _pooled(options: dict[str, str]) -> bool | None:
    is_pooled = None
    for name in _POOLERS:
        value = options.pop(name, "").lower()
        if name == "pgbouncer" and value:
            is_pooled = value in _YES
        elif value in _NO:
            is_pooled = True
    return is_pooled


def _seconds(text: str | None) -> float:
    if text is None or text == "0":
        return CONNECT_SECONDS
    if not text.isdecimal():
        raise ValueError("has a connect_timeout that is not a number of seconds")
    return float(text)


def _one_of(options: Mapping[str, str], name: str, values: tuple[str, ...]) -> None:
    if name in options and options[name] not in values:
        raise ValueError(f"may say {name}={'|'.join(values)}, not {options[name][:40]}")
