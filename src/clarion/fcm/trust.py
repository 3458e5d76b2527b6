"""Whom we believe to be FCM: the system's authorities, and one extra file of them."""

import os
import ssl
import tempfile
from pathlib import Path

import certifi
from requests import Session
from requests.adapters import HTTPAdapter


def session(ca_file: str | None) -> Session:
    """A requests session that trusts the system's authorities and those in `ca_file`."""
    made = Session()
    if ca_file is not None:
        made.mount("https://", _Trusting(ca_file))
    return made


def bundle(ca_file: str | None) -> Path | None:
    """One file of the system's authorities and those in `ca_file`, for libcurl, which reads only
    one; None: libcurl's own. The caller deletes it."""
    if ca_file is None:
        return None
    system = Path(os.environ.get("SSL_CERT_FILE") or certifi.where())
    descriptor, name = tempfile.mkstemp(prefix="clarion-ca-", suffix=".pem")
    with os.fdopen(descriptor, "wb") as file:
        file.write(Path(ca_file).read_bytes() + b"\n" + system.read_bytes())
    return Path(name)


class _Trusting(HTTPAdapter):
    def __init__(self, ca_file: str) -> None:
        self._context = ssl.create_default_context()
        self._context.load_verify_locations(cafile=ca_file)
        super().__init__()

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        kwargs["ssl_context"] = self._context
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]
