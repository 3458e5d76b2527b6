"""The contract between stations: durable jobs, leased and acknowledged. Pure.

A job is a nudge with a payload: an HTTP batch of events, a launch to plan, a chunk to send. It is
never a single event or push. Adapters live in `brokers/`; one contract suite holds for all of them.

What every adapter promises:

- `publish` returns only after the job is durable; with a `key` seen within the last
  `DEDUPE_WINDOW_SECONDS` it stores nothing.
- A fetched job is invisible until its lease ends, then it comes back with a higher
  `delivery_count`. `extend` prolongs the lease.
- `ack` and `reject` remove the job for ever; `nack(delay)` brings it back, not before `delay`.
- No order is promised, and a job may come twice: consumers are idempotent. An ack is no fence
  (JetStream accepts late ones), so what must happen once is decided by a row, not by a job.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

PAYLOAD_BYTES_MAX = 900_000
"""Above this no adapter takes a job (NATS' default limit is 1 MiB with headers)."""

DEDUPE_WINDOW_SECONDS = 120


class JobKind(StrEnum):
    """Every kind has exactly one consuming role."""

    EVENTS = "events"
    """collector → ingestor: what one commit of the collector took in."""
    LAUNCH = "launch"
    """scheduler → planner: a launch to turn into deliveries."""
    CHUNK = "chunk"
    """planner → sender: a chunk of deliveries to send."""
    PUSH = "push"
    """whoever asks for a push to one customer → sender: a small chunk, which waits behind no
    campaign's."""


class BrokerUnavailable(Exception):
    """The broker can not promise durability now: full disk, lost server. Try again later."""

    def __init__(self, message: str = "", *, cure: str = "", lasts: bool = False) -> None:
        super().__init__(message)
        self.cure = cure
        """A sentence for the operator, where somebody must act."""
        self.lasts = lasts
        """Waiting does not end it: the server is there, and is not one that can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to publish. `available_at` None means at once."""

    kind: JobKind
    payload: bytes
    key: str | None = None
    available_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits of one kind, or is leased."""

    jobs: int
    size: int
    """Bytes of their payloads, or a little more."""
    room: int | None = None
    """Bytes that may still be stored, where the broker has a limit of its own that it tells."""


class Lease(Protocol):
    """One job, ours until the lease ends."""

    @property
    def payload(self) -> bytes: ...

    @property
    def delivery_count(self) -> int:
        """1 the first time."""

    async def ack(self) -> None:
        """Done: remove it. Called after the work is committed, never before."""

    async def nack(self, delay_seconds: float = 0.0) -> None:
        """Not done: bring it back, not before `delay_seconds`."""

    async def reject(self, reason: str, *, keep: bytes | None = None) -> None:
        """Can never be done: keep it out of the way, with the reason, for a person to read; of its
        payload `keep`, where that is given."""

    async def extend(self, seconds: float) -> None:
        """Extends the lease to end `seconds` from now."""


class Broker(Protocol):
    """Durable jobs between stations."""

    async def publish(self, *jobs: NewJob) -> None:
        """Durable when this returns. Raises BrokerUnavailable; then none or some were stored."""

    async def fetch(
        self, kind: JobKind, *, limit: int, wait_seconds: float, lease_seconds: float
    ) -> Sequence[Lease]:
        """Up to `limit` jobs that are due; waits up to `wait_seconds` for the first one."""

    async def depth(self, kind: JobKind) -> int:
        """How many jobs of this kind are waiting or leased."""

    async def oldest_at(self, kind: JobKind) -> datetime | None:
        """Since when the job of this kind has been due that has waited longest; None: none waits.
        One that is leased may be counted. Costs the same however many wait. Raises
        BrokerUnavailable."""

    async def backlog(self, kind: JobKind) -> Backlog:
        """How much waits, and how much more may. Raises BrokerUnavailable."""

    async def rewrite_rejected(self, kind: JobKind, change: Callable[[bytes], bytes | None]) -> int:
        """Put what `change` makes of a payload in its place, for every job of this kind that was
        rejected; None: it stays as it is. What was there before is gone when this returns. Returns
        how many were changed."""

    async def close(self) -> None: ...
