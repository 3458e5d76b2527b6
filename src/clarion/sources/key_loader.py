"""Reads what write keys open: many in one statement, and no statement right after another.

One key alone is read at once. But keys are whatever callers send: if each unknown one cost a
statement of its own, a stranger who makes them up would keep the database busy and the collector
waiting. So the keys of calls that come while one statement is made, or within `pause_seconds` after
it, wait together and become the next.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic

from clarion.clock import Clock
from clarion.outage_log import OutageLog
from clarion.sources.auth_result import AuthResult, Retired
from clarion.sources.key_store import find_admissions
from clarion.storage.database import Database
from clarion.storage.vault import Vault

KEYS_MAX = 500
"""Asked for in one statement."""

KeyAnswer = AuthResult | Retired | None
"""What is known of a key; None: nobody ever had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLoaderOptions:
    pause_seconds: float = 0.02
    """Between two statements: so long, at most, does a call wait for the next."""


class KeyLoader:
    """One per collector."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault | None, options: KeyLoaderOptions
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._options = options
        self._waiting: dict[str, asyncio.Future[KeyAnswer | Exception]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._pause_until = 0.0
        self._locked = OutageLog("identity_secrets_locked", "error")

    async def read(self, write_key: str) -> KeyAnswer:
        """Reads what the key opens now. Raises StorageUnavailable."""
        answer = self._waiting.get(write_key)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            self._waiting[write_key] = answer
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read_waiting())
        result = await asyncio.shield(answer)  # others may wait for the same
        if isinstance(result, Exception):
            raise result
        return result

    async def close(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None:
            await asyncio.shield(self._reading)

    async def _read_waiting(self) -> None:
        while self._waiting:
            await asyncio.sleep(max(0.0, self._pause_until - monotonic()))
            keys = list(self._waiting)[:KEYS_MAX]
            asked = {key: self._waiting.pop(key) for key in keys}
            answers: dict[str, KeyAnswer | Exception] = {}
            try:
                async with self._database.read() as connection:
                    results = await find_admissions(
                        connection, keys, self._clock.now(), self._vault
                    )
                answers.update(results)
            except Exception as error:  # each call hears of it
                answers = dict.fromkeys(keys, error)
            self._pause_until = monotonic() + self._options.pause_seconds
            if any(
                isinstance(answer, AuthResult) and answer.has_locked_secrets
                for answer in answers.values()
            ):
                cure = "set CLARION_SECRET_KEY to the key used before, or make new ones"
                self._locked.is_gone(cure=cure)
            elif any(
                isinstance(answer, AuthResult) and answer.secrets for answer in answers.values()
            ):
                self._locked.is_there()
            for key, answer in asked.items():
                answer.set_result(answers.get(key))
