"""The files that people take for a service-account key, by what is in them. Pure."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

CURE = (
    "use the JSON of a service-account key, from the Firebase console: Project settings → Service "
    "accounts → Generate new private key"
)

_BY_TYPE = {
    "authorized_user": "the login of a person (gcloud auth application-default login), not of a "
    "service account",
    "external_account": "a configuration of workload identity federation (external_account), which "
    "holds no key, and Clarion can not use it",
    "external_account_authorized_user": "the login of a person through workforce identity "
    "federation (external_account_authorized_user)",
    "gdch_service_account": "a key of Google Distributed Cloud (gdch_service_account)",
    "impersonated_service_account": "an impersonation of a service account "
    "(impersonated_service_account), which holds no key of its own",
}
_BY_MEMBERS: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"project_info", "client"}),
        "google-services.json, the configuration of an Android app",
    ),
    (frozenset({"apiKey", "projectId"}), "the configuration of a web app (firebaseConfig)"),
    (frozenset({"installed"}), "the secret of an OAuth client"),
    (frozenset({"web"}), "the secret of an OAuth client"),
    (frozenset({"projects"}), ".firebaserc, a configuration of the Firebase command line"),
    (frozenset({"hosting"}), "firebase.json, a configuration of the Firebase command line"),
)
_SERVER_KEY = re.compile(rb"\s*AAAA[\w-]{7}:[\w-]{100,}\s*")
_P12 = re.compile(rb"\x30\x82..\x02\x01\x03", re.DOTALL)


def kind_of_json(wire: Any) -> str:
    """What a JSON document is, if it is known to be another file; "": it is not."""
    if isinstance(wire, str):
        return "JSON within a text: take the quotes away"
    if isinstance(wire, list) and any(isinstance(member, Mapping) for member in wire):
        return "a list: give one object"
    if not isinstance(wire, Mapping):
        return ""
    type_name = wire.get("type")
    if isinstance(type_name, str) and type_name in _BY_TYPE:
        return _BY_TYPE[type_name]
    if type_name is not None:
        return ""
    return next((kind for names, kind in _BY_MEMBERS if names <= wire.keys()), "")


def kind_of_bytes(raw: bytes) -> str:
    """What kind of file this is, if it is not JSON; "": unknown."""
    start = raw.lstrip()[:400]
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "in UTF-16: save it as UTF-8"
    if raw.startswith(b"bplist") or b"<plist" in start or b"PropertyList" in start:
        return "GoogleService-Info.plist, the configuration of an iOS app"
    if b"-----BEGIN CERTIFICATE" in start:
        return "a certificate"
    if b"-----BEGIN" in start:
        return (
            "a bare private key, such as an APNs key (AuthKey_….p8), which belongs in the Firebase "
            "console under Cloud Messaging"
        )
    if _P12.match(raw):
        return "a certificate with its key (.p12), such as one of APNs"
    if _SERVER_KEY.fullmatch(raw):
        return "a server key of the legacy API, which FCM takes no more"
    if b"firebaseConfig" in start or b"initializeApp" in start:
        return "the configuration of a web app (firebaseConfig)"
    if start.lower().startswith((b"<!doctype html", b"<html")):
        return "a page of HTML"
    return "base64: decode it first" if _is_base64_of_json(raw) else ""


def _is_base64_of_json(raw: bytes) -> bool:
    try:
        return b64decode(b"".join(raw.split()), validate=True).lstrip().startswith(b"{")
    except (Base64Error, ValueError):
        return False
