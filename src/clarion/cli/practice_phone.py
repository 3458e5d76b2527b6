"""The practice phone of `clarion serve`: the FCM simulator as a child of this process."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from clarion.config import Settings
from clarion.deliveries.practice import (
    PRACTICE_PROJECT,
    PhoneAddress,
    PhoneUnavailable,
    ShownPush,
)
from clarion.providers.fcm.client import GOOGLE

if TYPE_CHECKING:
    from fcm_simulator.process import SimulatorProcess

PUSHES_SHOWN = 5
MESSAGES_MAX = 1_000
"""Looked through for the newest ones."""
_PORT_FILE = "port"

log = structlog.get_logger(__name__)


def practice_phone(settings: Settings) -> "SimulatedPhone | None":
    """The phone of this installation. None: the simulator is not installed, or pushes go to one
    already, by CLARION_FCM_URL."""
    if find_spec("fcm_simulator") is None or settings.fcm_url.rstrip("/") != GOOGLE:
        return None
    return SimulatedPhone(settings.data_dir / "practice-phone")


class SimulatedPhone:
    """Implements `deliveries.practice.PracticePhone`. It keeps its key, its certificate and its
    port in `directory`, so that it is the same one after a restart."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = asyncio.Lock()
        self._process: SimulatorProcess | None = None
        self._address: PhoneAddress | None = None

    async def start(self) -> PhoneAddress:
        """See `PracticePhone.start`."""
        async with self._lock:
            if self._address is None or not await self._answers():
                self._address = await self._begin()
            return self._address

    async def pushes(self) -> Sequence[ShownPush]:
        """See `PracticePhone.pushes`."""
        if self._process is None:
            return []
        try:
            messages = await self._process.messages(limit=MESSAGES_MAX)
        except OSError:  # requests' errors are such
            return []
        return [_shown(message) for message in reversed(messages[-PUSHES_SHOWN:])]

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop()

    async def _answers(self) -> bool:
        assert self._process is not None
        try:
            await self._process.stats()
        except OSError:
            return False
        return True

    async def _begin(self) -> PhoneAddress:
        from fcm_simulator.process import SimulatorProcess
        from fcm_simulator.server.serving import free_port

        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = self._kept_port() or free_port()
        self._process = SimulatorProcess(self._directory, port=port, schema=False)
        # One that a killed process has left behind is as good: nobody else has its certificate.
        if not await self._answers():
            try:
                await self._process.start()
            except (OSError, RuntimeError, TimeoutError) as error:
                (self._directory / _PORT_FILE).unlink(missing_ok=True)
                self._process = None
                log.warning("practice_phone_unavailable", reason=str(error))
                raise PhoneUnavailable("The practice phone does not start: try again.") from error
        (self._directory / _PORT_FILE).write_text(str(port))
        process = self._process
        key = await asyncio.to_thread(process.key, PRACTICE_PROJECT)
        return PhoneAddress(url=process.base_url, ca_file=process.ca_file, key=key)

    def _kept_port(self) -> int | None:
        try:
            return int((self._directory / _PORT_FILE).read_text())
        except (OSError, ValueError):
            return None


def _shown(message: dict[str, Any]) -> ShownPush:
    from fcm_simulator.fcm.registrations import System
    from fcm_simulator.server.phone_page import cards

    card = next(iter(cards(message, System.ANDROID)), None)
    return ShownPush(
        number=message["number"],
        at=datetime.fromtimestamp(message["at"], UTC),
        title="" if card is None else card.title,
        body="" if card is None else card.body,
        image="" if card is None else card.image,
    )
