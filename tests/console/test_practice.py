"""“Send me one now”: from an empty directory to a push on a phone, by `clarion serve` itself."""

import os
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from support.patience import until
from support.people import PASSWORD
from support.ports import free_ports
from support.ready_command import Program, end_of, started

PAGE = {"Accept": "text/html"}


class Installation:
    """`clarion serve` on a data directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.origin = f"http://127.0.0.1:{free_ports(1)[0]}"
        self._environment = {
            **os.environ,
            "CLARION_DATA_DIR": str(directory),
            "CLARION_LISTEN": self.origin.removeprefix("http://"),
        }
        self._process: Program | None = None

    async def start(self) -> None:
        self._process = started("serve", environment=self._environment, stdout=subprocess.DEVNULL)
        async with httpx.AsyncClient() as client:

            async def answers() -> bool:
                try:
                    return (await client.get(f"{self.origin}/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(answers, bool)

    async def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        await end_of(self._process)

    def invitation(self) -> str:
        """The path of a link for an admin."""
        program = started(
            "people", "invite", "--role", "admin", environment=self._environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        said = b"".join(program.communicate()).decode()
        (path,) = set(re.findall(r"/console/invitations/[\w-]+", said))
        return str(path)


class Admin:
    """A browser without a script."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str) -> str:
        answer = await self._client.get(path, headers=PAGE, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, path: str, form: dict[str, str], token: str = "") -> str:
        answer = await self._client.post(
            path,
            data={"csrf_token": token, **form},
            headers={**PAGE, "Origin": str(self._client.base_url).rstrip("/")},
            follow_redirects=True,
        )
        assert answer.status_code == 200, answer.text
        return answer.text

    async def press(self, path: str) -> str:
        page = await self.get("/console/")
        (token,) = set(re.findall(r'name="csrf_token" value="([^"]+)"', page))
        return await self.post(path, {}, token)


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    opened = Installation(tmp_path)
    await opened.start()
    yield opened
    await opened.stop()


async def test_one_click_and_a_push_is_seen_even_after_a_restart(
    installation: Installation,
) -> None:
    async with httpx.AsyncClient(base_url=installation.origin, timeout=60) as client:
        admin = Admin(client)
        form = {"email": "eva@example.com", "name": "Eva", "password": PASSWORD}
        home = await admin.post(installation.invitation(), form)
        assert "Send me one now" in home

        async def shows(count: int) -> bool:
            page = await admin.get("/console/")
            return page.count("Hello Eva") == count

        said = await admin.press("/console/practice")
        assert "It is on its way" in said
        await until(lambda: shows(1), bool)
        page = await admin.get("/console/")
        assert "Your push is here." in page
        connections = await admin.get("/console/connections")
        (app,) = set(re.findall(r"/console/firebase-apps/[\w-]+", connections))
        assert "FCM takes it" in await admin.press(f"{app}/check")
        # Nothing of it counts as a step of setting up.
        assert "Waiting for the first event" in page
        assert "Add the key" in page

        await installation.stop()
        await installation.start()
        await admin.press("/console/practice")
        await until(lambda: shows(1), bool)

        gone = await admin.press("/console/practice/remove")
        assert "The practice phone is gone" in gone
        assert "Send me one now" in gone
