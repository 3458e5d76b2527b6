"""Hashes passwords and checks them: Argon2id, in a thread, at most two at once."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 2
"""Each takes memory and a processor; a flood of sign-ins must not take all of them."""
WAITING_MAX = 32
"""So many wait for their turn; further ones are told to come again, while these are served."""
SALT_BYTES = 16
HASH_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """OWASP's recommendation: Password Storage Cheat Sheet, Argon2id."""

    memory_kib: int = 19_456
    iterations: int = 2
    lanes: int = 1


class PasswordHasher:
    """One for a process. A hash tells its own cost, so the cost may change."""

    def __init__(self, cost: Cost | None = None) -> None:
        self._cost = cost = cost or Cost()
        self._prefix = f"$argon2id$v=19$m={cost.memory_kib},t={cost.iterations},p={cost.lanes}$"
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._decoy: str | None = None
        self._waiting = 0

    @contextmanager
    def place(self) -> Iterator[bool]:
        """A place among those who wait, for all that one call does with passwords; False: there is
        none, and the call should come again."""
        if self._waiting >= WAITING_MAX:
            yield False
            return
        self._waiting += 1
        try:
            yield True
        finally:
            self._waiting -= 1

    def is_outdated(self, phc: str) -> bool:
        """Whether a hash was made at another cost than passwords are hashed at today."""
        return not phc.startswith(self._prefix)

    async def hash(self, password: str) -> str:
        """The hash to store, in PHC's form."""
        return await self._in_turn(self._hash, password)

    async def verify(self, password: str, phc: str | None) -> bool:
        """Whether the password is the hashed one. `phc` None: there is no such account, which
        takes as long to find out."""
        if phc is None:
            if self._decoy is None:
                self._decoy = await self.hash(secrets.token_urlsafe())
            phc = self._decoy
        return await self._in_turn(_verify, password, phc)

    async def _in_turn(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._turns:
            return await asyncio.to_thread(work, *args, **kwargs)

    def _hash(self, password: str) -> str:
        argon = Argon2id(
            salt=secrets.token_bytes(SALT_BYTES),
            length=HASH_BYTES,
            iterations=self._cost.iterations,
            lanes=self._cost.lanes,
            memory_cost=self._cost.memory_kib,
        )
        return argon.derive_phc_encoded(_bytes(password))


def _verify(password: str, phc: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(_bytes(password), phc)
    except InvalidKey:
        return False
    return True


def _bytes(password: str) -> bytes:
    return password.encode(errors="surrogatepass")
