"""Where the demo plays: Clarion in a process of its own, spoken to as any script would."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import requests

from clarion.cli.installation.first_start import first_start
from clarion.cli.output import Ending, ExitCode
from clarion.clock import Clock
from clarion.config import Settings, read_settings
from clarion.customers.devices.device import Platform
from clarion.deliveries.apps.store import put_app
from clarion.providers.fcm.credentials import parse_service_account
from clarion.sources.store import create_source
from clarion.storage.database import Database
from clarion.storage.vault import load_or_make_vault
from fcm_simulator.server.serving import free_port

START_SECONDS = 30.0
STOP_SECONDS = 20.0
CALL_SECONDS = 15.0
LOG_FILE = "serve.log"
LOG_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the first start and the set-up made."""

    workspace_id: UUID
    api_key: str = field(repr=False)
    write_keys: Mapping[Platform, str] = field(repr=False)


class Refusal(Exception):
    """Clarion answered a call with an error."""


class Clarion:
    """A running Clarion, through its HTTP interface."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self.api_key = api_key
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    async def get(self, path: str) -> Any:
        """GET /api/v1`path`, decoded."""
        return await asyncio.to_thread(self._call, "GET", path, None)

    async def post(self, path: str, body: Any = None) -> Any:
        """POST /api/v1`path`, decoded."""
        return await asyncio.to_thread(self._call, "POST", path, body)

    async def jobs_waiting(self, kind: str) -> int:
        """How many jobs of this kind are waiting or in hand, from /metrics."""
        text = await asyncio.to_thread(self._metrics)
        wanted = f'clarion_jobs{{kind="{kind}"}} '
        for line in text.splitlines():
            if line.startswith(wanted):
                return int(float(line.removeprefix(wanted)))
        return 0

    async def is_live(self) -> bool:
        try:
            answer = await asyncio.to_thread(requests.get, f"{self.url}/livez", timeout=1.0)
        except requests.RequestException:
            return False
        return answer.status_code == 200

    def _call(self, method: str, path: str, body: Any) -> Any:
        answer = self._session.request(
            method, f"{self.url}/api/v1{path}", json=body, timeout=CALL_SECONDS
        )
        if answer.status_code >= 400:
            raise Refusal(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return msgspec.json.decode(answer.content)

    def _metrics(self) -> str:
        return self._session.get(f"{self.url}/metrics", timeout=CALL_SECONDS).text


def demo_settings(data_dir: Path, fcm_url: str, fcm_ca: str) -> dict[str, str]:
    """The demo's environment: the embedded default, and the simulator in Google's place."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    return kept | {
        "CLARION_DATA_DIR": str(data_dir),
        "CLARION_LISTEN": f"127.0.0.1:{free_port()}",
        "CLARION_FCM_URL": fcm_url,
        "CLARION_FCM_CA": fcm_ca,
        "CLARION_LOG": "info,json",
    }


async def set_up(
    environment: Mapping[str, str], clock: Clock, service_account: Mapping[str, Any]
) -> Credentials:
    """First start, a Firebase app, and a source for each platform bound to it."""
    settings = _settings(environment)
    account = parse_service_account(msgspec.json.encode(service_account), fcm_url=settings.fcm_url)
    assert not isinstance(account, list), "the simulator makes good keys"
    database = Database(settings.database_url)
    try:
        made = await first_start(settings, database, clock)
        if made is None or made.api_key is None:
            raise Ending(
                ExitCode.REFUSED,
                f"{settings.data_dir} holds an installation already: the demo begins with an "
                "empty directory.",
                word="not_empty",
            )
        vault = load_or_make_vault(
            settings.data_dir, settings.secret_key, settings.former_secret_keys
        )
        async with database.write() as connection:
            app = await put_app(
                connection,
                workspace_id=made.workspace_id,
                app_id=clock.new_id(),
                project_id=account.project_id,
                client_email=account.client_email,
                private_key_id=account.private_key_id,
                sealed_key=vault.seal(msgspec.json.encode(dict(account.info))),
                now=clock.now(),
            )
            write_keys = {}
            for platform in Platform:
                source = await create_source(
                    connection,
                    workspace_id=made.workspace_id,
                    name=f"{platform.value} app",
                    source_id=clock.new_id(),
                    now=clock.now(),
                    firebase_app_id=app.id,
                )
                write_keys[platform] = source.write_key
    finally:
        await database.close()
    return Credentials(workspace_id=made.workspace_id, api_key=made.api_key, write_keys=write_keys)


@asynccontextmanager
async def serving(environment: Mapping[str, str], api_key: str) -> AsyncIterator[Clarion]:
    """`clarion serve` as a process of its own; its log is `serve.log` in the data directory."""
    settings = _settings(environment)
    log = settings.data_dir / LOG_FILE
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "clarion.cli",
            "serve",
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops it in order
        )
    clarion = Clarion(f"http://{settings.listen}", api_key)
    try:
        await _until_live(clarion, process, log)
        yield clarion
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _until_live(clarion: Clarion, process: asyncio.subprocess.Process, log: Path) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await clarion.is_live():
                if process.returncode is not None:
                    break
                await asyncio.sleep(0.1)
            else:
                return
    except TimeoutError:
        pass
    raise Ending(ExitCode.FAILURE, "Clarion did not start:\n" + _end_of(log))


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


def _settings(environment: Mapping[str, str]) -> Settings:
    settings = read_settings(environment)
    assert isinstance(settings, Settings), settings
    return settings
