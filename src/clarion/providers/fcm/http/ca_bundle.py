"""Whom we believe to be FCM: the usual authorities (certifi's, or those that SSL_CERT_FILE names),
and one extra file of them."""

import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

import certifi
from requests import Response, Session
from requests.adapters import HTTPAdapter


def bundle(ca_file: str | None) -> Path:
    """One file of the usual authorities and those in `ca_file`, for libcurl, which reads only one
    and comes without any. The caller deletes it."""
    usual = Path(os.environ.get("SSL_CERT_FILE") or certifi.where())
    extra = Path(ca_file).read_bytes() + b"\n" if ca_file is not None else b""
    descriptor, name = tempfile.mkstemp(prefix="clarion-ca-", suffix=".pem")
    with os.fdopen(descriptor, "wb") as file:
        file.write(extra + usual.read_bytes())
    return Path(name)


def session(ca_file: str | None) -> Session:
    """A requests session that trusts the same authorities, and follows no redirect: what is sent
    goes where it was checked that it may go."""
    made = _Straight()
    authorities = bundle(ca_file)
    try:
        made.mount("https://", _Trusting(authorities))
    finally:
        authorities.unlink()
    return made


class _Straight(Session):
    def request(self, *args: Any, **kwargs: Any) -> Response:
        return super().request(*args, **{**kwargs, "allow_redirects": False})


class _Trusting(HTTPAdapter):
    def __init__(self, authorities: Path) -> None:
        self._context = ssl.create_default_context(cafile=authorities)
        super().__init__()

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        kwargs["ssl_context"] = self._context
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Through a proxy it is the same server; and the proxy may speak TLS itself."""
        kwargs.setdefault("ssl_context", self._context)
        kwargs.setdefault("proxy_ssl_context", self._context)
        return super().proxy_manager_for(proxy, **kwargs)
