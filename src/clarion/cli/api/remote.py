"""The management API of a Clarion that runs elsewhere, over HTTP with an API key.

By the standard library alone: a command waits for one answer after another, and is to start fast.
A call that fails is not repeated: whoever runs the command knows whether it may be.
"""

import asyncio
import http.client
import os
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from clarion import __version__
from clarion.cli.api.client import PREFIX, content_of, query_of, result_of
from clarion.cli.output import Ending, ExitCode
from clarion.text import without_passwords
from clarion.value_file import SUFFIX, value_of

URL = "CLARION_URL"
API_KEY = "CLARION_API_KEY"
TIMEOUT_SECONDS = 60.0
"""Between two signs of life of the server, and to connect to it."""
PIECE_BYTES = 65_536

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where Clarion runs, and who asks."""

    url: str
    """Scheme, host and port, without a path."""
    api_key: str = field(repr=False)


def read_remote(environment: Mapping[str, str]) -> Remote | None:
    """What the environment says; None: Clarion is on this machine. Ends the command where one of
    the two is missing, or can not be."""
    try:
        name = URL
        url = value_of(environment, name)
        name = API_KEY
        api_key = value_of(environment, name)
    except ValueError as error:
        raise _wrong((f"{name}{SUFFIX}", str(error))) from None
    if not url and not api_key:
        return None
    faults = []
    if not url:
        faults.append((URL, f"is missing: {API_KEY} is for Clarion at an address"))
    elif not _is_address(url):
        faults.append((URL, "must be https://HOST[:PORT], without a path"))
    if not api_key:
        faults.append((API_KEY, f"is missing: {URL} is asked with an API key"))
    elif not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        faults.append((API_KEY, "is no API key: it begins with clk_"))
    if faults:
        raise _wrong(*faults)
    return Remote(url=url.rstrip("/"), api_key=api_key)


def _wrong(*faults: tuple[str, str]) -> Ending:
    return Ending(ExitCode.USAGE, "The settings are wrong:", word="settings", faults=faults)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a bad one is a ValueError
    except ValueError:
        return False
    is_bare = parts.path in ("", "/") and not parts.query and "@" not in parts.netloc
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_bare


class RemoteApi:
    """Implements `client.Api`."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    @property
    def address(self) -> str:
        return self._remote.url

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        name: object = "",
    ) -> Any:
        """See `Api.call`."""
        connection, target = self._connection(path, query)
        content = content_of(body) or None
        try:
            sent = self._headers() | dict(headers or {})
            response = await _begin(connection, method, target, content, sent)
            answer = await _in_thread(connection, response.read)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()
        return result_of(response.status, answer, name=name, address=self.address)

    async def stream(
        self,
        path: str,
        *,
        media: str,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        name: object = "",
    ) -> AsyncGenerator[bytes]:
        """See `Api.stream`."""
        connection, target = self._connection(path, query)
        headers = self._headers() | dict(headers or {})
        try:
            response = await _begin(connection, "GET", target, None, headers)
            if response.status != HTTPStatus.OK or response.headers.get_content_type() != media:
                answer = await _in_thread(connection, response.read)
                result_of(response.status, answer, name=name, address=self.address)
            while piece := await _in_thread(connection, lambda: response.read1(PIECE_BYTES)):
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._remote.api_key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": f"clarion/{__version__}",
        }

    def _connection(
        self, path: str, query: Mapping[str, Any] | None
    ) -> tuple[http.client.HTTPConnection, str]:
        """A connection to the server or to its proxy, and what is to be asked for on it."""
        asked = query_of(query)
        target = f"{PREFIX}{path}" + (f"?{asked}" if asked else "")
        parts = urlsplit(self._remote.url)
        proxy = _proxy_of(parts)
        server = proxy or parts
        assert parts.hostname is not None and server.hostname is not None
        if parts.scheme == "http":
            connection = http.client.HTTPConnection(
                server.hostname, server.port, timeout=TIMEOUT_SECONDS
            )
            return connection, target if proxy is None else f"{self._remote.url}{target}"
        secure = http.client.HTTPSConnection(
            server.hostname,
            server.port,
            timeout=TIMEOUT_SECONDS,
            context=ssl.create_default_context(),
        )
        if proxy is not None:
            secure.set_tunnel(parts.hostname, parts.port)
        return secure, target

    def _unreachable(self, error: Exception) -> Ending:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Ending(
            ExitCode.UNAVAILABLE,
            f"{self.address} (CLARION_URL) can not be reached: {why}. Unset it to work on this "
            "machine's own data.",
            word="unavailable",
        )


def _proxy_of(parts: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for such an address (`https_proxy`, `no_proxy`)."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass

    address = getproxies().get(parts.scheme)
    if not address or proxy_bypass(parts.netloc):
        return None
    proxy = urlsplit(address if "://" in address else f"http://{address}")
    if not proxy.hostname or proxy.username:
        message = f"The proxy {without_passwords(address)} can not be: use http://HOST:PORT."
        raise Ending(ExitCode.USAGE, message, word="settings")
    return proxy


async def _begin(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    content: bytes | None,
    headers: Mapping[str, str],
) -> http.client.HTTPResponse:
    """The answer, of which the body is yet to come."""

    def begin() -> http.client.HTTPResponse:
        connection.request(method, target, content, dict(headers))
        return connection.getresponse()

    return await _in_thread(connection, begin)


async def _in_thread(connection: http.client.HTTPConnection, work: Callable[[], T]) -> T:
    """What `work` returns, which waits for the server. Whoever is cancelled does not wait."""
    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        opened: socket.socket | None = connection.sock
        if opened is not None:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)  # ends what the thread waits for
        raise
