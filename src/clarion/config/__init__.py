"""The environment as one frozen value: read once, at start, and every error told at once.

`SETTINGS` (`setting.py`) is the whole list; each may stand in a file too (`value_file.py`). What is
not on it and begins with `CLARION_` is refused, so that a misspelt setting is never silently a
default.
"""

import difflib
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clarion.brokers.address import read_url
from clarion.config.setting import (
    GOOGLE_FCM_URL,
    LATE_MINUTES_MAX,
    SECRET_CHARACTERS_MIN,
    SEEN_DAYS,
    SEEN_DAYS_MAX,
    SEEN_DAYS_MIN,
)
from clarion.config.setting import SETTINGS as SETTINGS
from clarion.events.backpressure import BACKLOG_MAX, DISK_FREE_MIN, BackpressureOptions, read_bytes
from clarion.faults import Fault
from clarion.service_variables import is_of_kubernetes
from clarion.storage.postgres.address import read_postgres_url
from clarion.telemetry import LOG_FORMATS, LOG_LEVELS, LogOptions
from clarion.text import without_passwords
from clarion.value_file import SUFFIX, file_of, value_of

PREFIX = "CLARION_"
DATABASE_FILE = "clarion.db"
LATE_MINUTES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen. Port 0: the system chooses one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Secrets are not in its repr."""

    data_dir: Path
    database_url: str = field(repr=False)
    broker_url: str | None = field(repr=False)
    """None: jobs are kept in the database."""
    listen: Address
    metrics_listen: Address | None = None
    """None: only processes that serve calls tell how they are, on `listen`."""
    public_url: str | None
    """None: SDKs are told to send to the host that they have asked."""
    late_minutes: int
    """A campaign whose time passed longer ago than this waits for a person."""
    seen_days: int
    """So long does a messageId that comes again change nothing."""
    fcm_url: str
    fcm_ca: Path | None
    analytics_js: Path | None
    """None: nobody may load it from here."""
    secret_key: str | None = field(repr=False)
    """None: a key file in `data_dir`."""
    former_secret_keys: tuple[str, ...] = field(default=(), repr=False)
    """They open what they have sealed, and seal nothing."""
    workspace: str | None = None
    log: LogOptions
    backpressure: BackpressureOptions = field(default_factory=BackpressureOptions)

    @property
    def database_directory(self) -> Path | None:
        """Where an SQLite database is; None: another machine keeps it."""
        if not self.database_url.startswith("sqlite:///"):
            return None
        return Path(self.database_url.removeprefix("sqlite:///")).absolute().parent


def read_settings(environment: Mapping[str, str]) -> Settings | list[Fault]:
    """The settings, or everything that is wrong with them. An empty variable is an absent one."""
    values, faults = read_values(environment)
    faults = [*_unknown(environment), *faults]

    def take(name: str, read: Callable[[str], Any], default: Any) -> Any:
        if name not in values:
            return default
        try:
            return read(values[name])
        except ValueError as error:
            faults.append(Fault(field=_place(environment, name), message=str(error)))
            return default

    data_dir = take("CLARION_DATA_DIR", _data_dir, Path("clarion-data").absolute())
    settings = Settings(
        data_dir=data_dir,
        database_url=take(
            "CLARION_DATABASE_URL", _database_url, f"sqlite:///{data_dir / DATABASE_FILE}"
        ),
        broker_url=take("CLARION_BROKER_URL", _broker_url, None),
        listen=take("CLARION_LISTEN", read_address, Address(host="127.0.0.1", port=8080)),
        metrics_listen=take("CLARION_METRICS_LISTEN", read_address, None),
        public_url=take("CLARION_PUBLIC_URL", _public_url, None),
        late_minutes=take("CLARION_LATE_MINUTES", _late_minutes, LATE_MINUTES),
        seen_days=take("CLARION_SEEN_DAYS", _seen_days, SEEN_DAYS),
        fcm_url=take("CLARION_FCM_URL", read_fcm_url, GOOGLE_FCM_URL),
        fcm_ca=take("CLARION_FCM_CA", _file, None),
        analytics_js=take("CLARION_ANALYTICS_JS", _readable_file, None),
        secret_key=take("CLARION_SECRET_KEY", _secret, None),
        former_secret_keys=take("CLARION_FORMER_SECRET_KEYS", _secrets, ()),
        workspace=values.get("CLARION_WORKSPACE"),
        log=take("CLARION_LOG", _log, LogOptions()),
        backpressure=BackpressureOptions(
            disk_free_min=take("CLARION_DISK_FREE_MIN", read_bytes, DISK_FREE_MIN),
            backlog_max=take("CLARION_BACKLOG_MAX", read_bytes, BACKLOG_MAX),
        ),
    )
    return faults or settings


def read_values(environment: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
    """What is given of `SETTINGS`, by their names, in variables or in files; and what is wrong with
    the files."""
    values, faults = {}, []
    for setting in SETTINGS:
        try:
            value = value_of(environment, setting.name)
        except ValueError as error:
            faults.append(Fault(field=f"{setting.name}{SUFFIX}", message=str(error)))
        else:
            if value:
                values[setting.name] = value
    return values, faults


def read_address(text: str) -> Address:
    """HOST:PORT, [V6]:PORT or :PORT. Raises ValueError with the cure."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"must be HOST:PORT, such as 127.0.0.1:8080, not {text!r}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"an IPv6 address goes in brackets, such as [::1]:8080, not {text!r}")
    return Address(host=host or "0.0.0.0", port=int(port))


def read_fcm_url(text: str) -> str:
    """Where pushes go: https, or http to this machine itself. Raises ValueError."""
    parts = _split(text)
    if "@" in parts.netloc:  # not repeated: it may be a password
        raise ValueError("must be https://HOST[:PORT], without a user or a password")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError(f"must be https://HOST[:PORT], not {without_passwords(text)!r}")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("must be https: access tokens would cross the network in the clear")
    return text.rstrip("/")


def _place(environment: Mapping[str, str], name: str) -> str:
    """The variable that a setting's value comes by."""
    return name if file_of(environment, name) is None else f"{name}{SUFFIX}"


def _unknown(environment: Mapping[str, str]) -> list[Fault]:
    known = [setting.name for setting in SETTINGS]
    faults = []
    for name in sorted(environment):
        if name in ("CLARION_PORT", "CLARION_HOST", "CLARION_ADDRESS"):
            if not is_of_kubernetes(name, environment[name]):
                message = "is no setting of Clarion; where to listen is CLARION_LISTEN=HOST:PORT."
                faults.append(Fault(field=name, message=message))
        elif name.startswith(PREFIX) and name.removesuffix(SUFFIX) not in known:
            if is_of_kubernetes(name, environment[name]):
                continue
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
            hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(known)}."
            faults.append(Fault(field=name, message=f"is no setting of Clarion; {hint}"))
    return faults


def _data_dir(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is not a directory")
    return path


def _database_url(text: str) -> str:
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        if text.endswith(":memory:"):
            raise ValueError("SQLite in memory loses everything; name a file: sqlite:///PATH")
        return text
    # No fault repeats the value: it may hold a password.
    read_postgres_url(text)
    return "postgresql://" + text.partition("://")[2]


def _broker_url(text: str) -> str | None:
    if text == "database":
        return None
    read_url(text)
    return text


def _public_url(text: str) -> str:
    parts = _split(text)
    is_bare = parts.path in ("", "/") and not parts.query and "@" not in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_bare:
        raise ValueError("must be https://HOST[:PORT], without a path")
    return text.rstrip("/")


def _late_minutes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LATE_MINUTES_MAX:
        raise ValueError(f"must be whole minutes from 1 to {LATE_MINUTES_MAX}, not {text!r}")
    return int(text)


def _seen_days(text: str) -> int:
    if not text.isdecimal() or not SEEN_DAYS_MIN <= int(text) <= SEEN_DAYS_MAX:
        raise ValueError(
            f"must be whole days from {SEEN_DAYS_MIN} to {SEEN_DAYS_MAX}, not {text!r}"
        )
    return int(text)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _file(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _readable_file(text: str) -> Path:
    path = _file(text)
    if not os.access(path, os.R_OK):
        raise ValueError(f"may not be read by this user: {path}")
    return path


def _secret(text: str) -> str:
    if len(text) < SECRET_CHARACTERS_MIN:
        raise ValueError(
            f"has {len(text)} characters and needs {SECRET_CHARACTERS_MIN} or more; make one with: "
            "openssl rand -base64 32"
        )
    return text


def _secrets(text: str) -> tuple[str, ...]:
    return tuple(_secret(part.strip()) for part in text.split(",") if part.strip())


def _log(text: str) -> LogOptions:
    level, _, form = text.lower().partition(",")
    if level not in LOG_LEVELS or (form and form not in LOG_FORMATS):
        raise ValueError(
            f"must be LEVEL[,FORMAT] with a level of {', '.join(LOG_LEVELS)} and a format of "
            f"{', '.join(LOG_FORMATS)}, not {text!r}"
        )
    return LogOptions(level=level, form=form or None)


def _split(url: str) -> Any:
    """`urlsplit` whose port has been read too, so that a bad one is a ValueError here."""
    parts = urlsplit(url)
    _ = parts.port
    return parts
