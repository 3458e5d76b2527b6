"""A browser at `/console`: keeps cookies and the CSRF token, and says whose page calls."""

from types import TracebackType
from typing import Any, Self

import httpx

from clarion.web.server import Asgi
from support.api import Service

HOST = "clarion.test"
HOME = "203.0.113.7"
"""An address of the public internet, with no proxy between."""
PROXY = "10.0.0.1"


class Browser:
    """A context. `address`: from which its connection comes; `app`: in the place of the
    service's own."""

    def __init__(
        self,
        service: Service,
        *,
        scheme: str = "http",
        address: str = HOME,
        app: Asgi | None = None,
    ) -> None:
        self.origin = f"{scheme}://{HOST}"
        self.csrf_token = ""
        transport = httpx.ASGITransport(app=app or service.app, client=(address, 50_000))
        self.client = httpx.AsyncClient(transport=transport, base_url=self.origin)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.client.aclose()

    @property
    def token(self) -> str | None:
        """The session's cookie."""
        return next((cookie.value for cookie in self.client.cookies.jar), None)

    def plant(self, token: str | None) -> None:
        """Have this cookie, whoever made it."""
        self.client.cookies.clear()
        if token is not None:
            self.client.cookies.set("clarion", token, domain=HOST, path="/console")

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"/console{path}")

    async def post(
        self, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """As a page of ours does; `headers` in the place of what it sends."""
        sent = {"Origin": self.origin, "X-CSRF-Token": self.csrf_token}
        if headers is not None:
            sent = headers
        answer = await self.client.post(f"/console{path}", json=body, headers=sent)
        if answer.status_code == 200 and "csrf_token" in answer.json():
            self.csrf_token = answer.json()["csrf_token"]
        return answer

    async def sign_in(self, email: str, password: str, **rest: Any) -> httpx.Response:
        return await self.post("/sign-in", {"email": email, "password": password}, **rest)
