"""A Firebase service-account file, checked when it is given to us. Pure.

Google hands out a dozen files that look alike; one that is another is called what it is
(`other_files`). A key that came through an environment variable is mended: there its line breaks
have become two characters each, or spaces.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from clarion.fcm.other_files import CURE, kind_of_bytes, kind_of_json

FILE_BYTES_MAX = 65_536

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFault:
    """What is wrong with a field of the file, and what to do. Never shows the key."""

    field: str
    message: str


def parse_service_account(text: str | bytes) -> ServiceAccount | list[CredentialFault]:
    """The account in a JSON file as the Firebase console gives it, or all that is wrong with it."""
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
    faults: list[CredentialFault] = []
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
    if not _is_address(wire["token_uri"]):
        faults.append(_fault("token_uri", "is not an address"))
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
    found = _PEM.fullmatch(plain.strip())
    if found is None:
        return pem
    label, base64 = found[1], "".join(found[2].split())
    lines = [base64[at : at + 64] for at in range(0, len(base64), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)


def _is_rsa_key(pem: str) -> bool:
    try:
        key: Any = load_pem_private_key(pem.encode(), password=None)
    except Exception:
        return False
    return isinstance(key, RSAPrivateKey)


def _fault(name: str, message: str) -> CredentialFault:
    return CredentialFault(field=name, message=message)
