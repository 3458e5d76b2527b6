"""A Firebase service-account file, checked when it is given to us. Pure.

Google hands out a dozen files that look alike; one that is another is called what it is
(`other_files`). A key that came through an environment variable is mended: there its line breaks
have become two characters each, or spaces.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from clarion.faults import Fault
from clarion.providers.fcm.other_files import CURE, kind_of_bytes, kind_of_json

FILE_BYTES_MAX = 65_536
GOOGLES_DOMAIN = "googleapis.com"
GOOGLES_TOKEN_HOSTS = frozenset(
    {"oauth2.googleapis.com", "oauth2.mtls.googleapis.com", "www.googleapis.com",
     "accounts.google.com"}
)  # fmt: skip
"""Where Google has ever let service accounts ask for access tokens."""
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")
"""Printable ASCII without a backslash, which clients read in different ways."""

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
_PROJECT_ID = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}")
"""Loose: old projects have a domain before a colon. It becomes part of an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """What a sender needs of the file."""

    project_id: str
    client_email: str
    private_key_id: str | None
    token_uri: str
    info: Mapping[str, str] = field(repr=False)


def read_service_account(
    file: bytes, *, may_be_simulated: bool, fcm_url: str | None = None
) -> Mapping[str, str] | list[Fault]:
    """All texts of the file, or all that is wrong with it: as `deliveries.provider.KeyReader`."""
    account = parse_service_account(file, fcm_url=fcm_url, may_be_simulated=may_be_simulated)
    return account if isinstance(account, list) else account.info


def parse_service_account(
    text: str | bytes, *, fcm_url: str | None = None, may_be_simulated: bool = False
) -> ServiceAccount | list[Fault]:
    """The account in a JSON file as the Firebase console gives it, or all that is wrong with it.

    The file says where a signed assertion goes; so that nobody sends our calls to an address of
    their own, that is Google's, or the simulator's at `fcm_url`. `may_be_simulated`: a simulator's
    anywhere on this machine, for the operator's own files.
    """
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    if len(raw) > FILE_BYTES_MAX:
        return [_fault("file", f"is larger than {FILE_BYTES_MAX} bytes: this is another file")]
    try:
        wire = msgspec.json.decode(raw.removeprefix(BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        kind = kind_of_bytes(raw)
        return [_fault("file", f"is {kind}: {CURE}" if kind else f"is not JSON: {CURE}")]
    kind = kind_of_json(wire)
    if kind:
        named = isinstance(wire, dict) and isinstance(wire.get("type"), str)
        return [_fault("type" if named else "file", f"is {kind}: {CURE}")]
    if not isinstance(wire, dict):
        return [_fault("file", "must be a JSON object")]
    faults: list[Fault] = []
    if wire.get("type") != "service_account":
        faults.append(_fault("type", f'must be "service_account": {CURE}'))
    for name in ("project_id", "client_email", "private_key", "token_uri"):
        value = wire.get(name)
        if not isinstance(value, str) or not value.strip():
            faults.append(_fault(name, "is missing: download the file again"))
    if faults:
        return faults
    wire["private_key"] = mended_key(wire["private_key"])
    if not _PROJECT_ID.fullmatch(wire["project_id"]):
        faults.append(_fault("project_id", "has other characters than a-z, 0-9, '.', ':' and '-'"))
    if "@" not in wire["client_email"]:
        faults.append(_fault("client_email", "is not an address"))
    if not is_token_uri(wire["token_uri"], [fcm_url] if fcm_url else []) and not (
        may_be_simulated and _is_loopback(wire["token_uri"])
    ):
        faults.append(
            _fault(
                "token_uri",
                "must be Google's (https://oauth2.googleapis.com/token), or the simulator's that "
                "CLARION_FCM_URL names: download the file again",
            )
        )
    if wire.get("universe_domain", GOOGLES_DOMAIN) != GOOGLES_DOMAIN:
        faults.append(_fault("universe_domain", f"must be {GOOGLES_DOMAIN}"))
    if not _is_rsa_key(wire["private_key"]):
        faults.append(
            _fault("private_key", "is not a readable RSA key in PEM: download the file again")
        )
    if faults:
        return faults
    info = {name: value for name, value in wire.items() if isinstance(value, str)}
    return ServiceAccount(
        project_id=wire["project_id"],
        client_email=wire["client_email"],
        private_key_id=info.get("private_key_id"),
        token_uri=wire["token_uri"],
        info=info,
    )


def mended_key(pem: str) -> str:
    r"""The key with its line breaks, where they came as `\n`, as spaces or not at all."""
    plain = pem.strip().strip("\"'").replace("\\r", "").replace("\\n", "\n").replace("\r", "")
    match = _PEM.fullmatch(plain.strip())
    if match is None:
        return pem
    label, base64 = match[1], "".join(match[2].split())
    lines = [base64[at : at + 64] for at in range(0, len(base64), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def is_token_uri(uri: str, simulators: Collection[str] = ()) -> bool:
    """Whether access tokens may be asked for there: Google's hosts by https, or one of the
    `simulators`' origins."""
    parts = _split(uri)
    if parts is None:
        return False
    if parts.hostname in GOOGLES_TOKEN_HOSTS and _origin(parts) == ("https", parts.hostname, 443):
        return True
    simulator_urls = [_split(url) for url in simulators]
    return any(
        simulator is not None and _origin(simulator) == _origin(parts)
        for simulator in simulator_urls
    )


def _is_loopback(uri: str) -> bool:
    parts = _split(uri)
    return parts is not None and parts.hostname in _LOOPBACK_NAMES


def _split(url: str) -> SplitResult | None:
    """The parts of an address in which there is nothing that clients could read in two ways."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    is_plain = _PLAIN.fullmatch(url) is not None and "@" not in parts.netloc
    return parts if is_plain and parts.scheme in _PORTS and parts.hostname else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    """Scheme, host and port; the names of this machine are one."""
    host = "localhost" if parts.hostname in _LOOPBACK_NAMES else parts.hostname
    return parts.scheme, host, parts.port or _PORTS[parts.scheme]


def _is_rsa_key(pem: str) -> bool:
    try:
        key: Any = load_pem_private_key(pem.encode(), password=None)
    except Exception:
        return False
    return isinstance(key, RSAPrivateKey)


def _fault(name: str, message: str) -> Fault:
    return Fault(field=name, message=message)
