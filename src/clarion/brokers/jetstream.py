"""The broker for more than one machine: jobs are messages of one NATS JetStream stream.

Where a job is, as NATS sees it:

    publish ──→ NAME.KIND.ready ──fetch──→ unacknowledged ──ack──→ gone
       │              ↑   ↑                 │    │    │
       └ available_at │   └── lease ends ───┘    │    └─ reject ─→ NAME-rejected, with the reason
         NAME.KIND.later.ID (a message schedule) └─ nack(delay), extend: another end of the lease

- A lease's end is set on each message by a negative acknowledgement with a delay, for NATS' own
  `ack_wait` is one for the whole consumer and `+WPI` only begins it again. A message so delayed is
  unacknowledged until then, and an ack of it counts. A monitor of NATS sees these as NAKs.
- A job for later is a message schedule (ADR-51, nats-server 2.12): it has not been delivered, so
  its `delivery_count` begins at 1 when it is due.
- A key is remembered by the server's duplicate window. A server that restarts remembers only the
  keys of jobs that it still has.

**What durable means here.** The server answers a publish when it has written the job to its file;
`kill -9` of the server loses nothing. It calls fsync only every two minutes by default, so a power
cut or a kernel crash of a lone server may take the jobs of the last two minutes with it. Who needs
more sets `jetstream { sync_interval: always }` in the server's configuration (hundreds of jobs a
second or a few thousand, as the disk goes; tens of thousands without), or runs a cluster and says
`?replicas=3`: then a majority has written a job to its files before publish returns, which stands
the loss of one machine but not of the power of all. Replicas with `always` stand both.

The stream is made without limits of its own, since a full one would throw old jobs away (NATS
allows no schedules in a stream that refuses new ones). Limit the account or the server's storage:
then publish fails, and nothing that was taken is lost.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from clarion.broker import (
    DEDUPE_WINDOW_SECONDS,
    PAYLOAD_BYTES_MAX,
    Backlog,
    BrokerUnavailable,
    JobKind,
    Lease,
    NewJob,
)
from clarion.brokers.address import JetStreamAddress, read_url
from clarion.brokers.link import Link, as_unavailable

SERVER_VERSION_MIN = (2, 12)
HEADER_BYTES = 4_096
"""Room beside a payload for its headers, a reason among them."""
PUBLISHES_MAX = 64
"""Jobs on their way to the server at once."""
UNSET_LEASE_SECONDS = 60.0
"""How soon a job comes back whose fetch died between its delivery and the setting of its lease."""
REASON_HEADER = "Clarion-Reason"
REASON_CHARACTERS_MAX = 1_000


class JetStreamBroker:
    """Implements `broker.Broker`. A lost connection is opened again by the next call."""

    def __init__(self, address: JetStreamAddress) -> None:
        self._address = address
        self._stream = address.stream
        self._link: Link | None = None
        self._opening: asyncio.Task[Link] | None = None
        self._publishes = asyncio.Semaphore(PUBLISHES_MAX)
        self._is_closed = False

    @classmethod
    async def connect(cls, url: str) -> "JetStreamBroker":
        """Connect, and make what is missing of the stream and its consumers. `url` as for
        `read_url`. Raises ValueError for a URL that can not be, BrokerUnavailable otherwise."""
        broker = cls(read_url(url))
        await broker.ready()
        return broker

    async def publish(self, *jobs: NewJob) -> None:
        """See `Broker.publish`."""
        if any(len(job.payload) > PAYLOAD_BYTES_MAX for job in jobs):
            raise ValueError(f"a job's payload may have {PAYLOAD_BYTES_MAX} bytes at most")
        if not jobs:
            return
        link = await self.ready()
        try:
            async with asyncio.TaskGroup() as group:
                for job in jobs:
                    group.create_task(self._store(link, job))
        except ExceptionGroup as failures:
            failure = failures.exceptions[0]
            raise failure from failure.__cause__

    async def fetch(
        self, kind: JobKind, *, limit: int, wait_seconds: float, lease_seconds: float
    ) -> Sequence[Lease]:
        """See `Broker.fetch`. Raises BrokerUnavailable."""
        until = monotonic() + wait_seconds
        link = await self.ready()
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{kind}"
        messages: list[Msg] = []
        if limit > 1 or wait_seconds <= 0:
            messages = await link.pull(subject, batch=limit)
        left = until - monotonic()
        if not messages and left > 0:
            messages = await link.pull(subject, batch=1, wait_seconds=left)
            if messages and limit > 1:
                messages += await link.pull(subject, batch=limit - 1)
        await self._hold(link, messages, lease_seconds)
        return [_JetStreamLease(self, kind, message) for message in messages]

    async def depth(self, kind: JobKind) -> int:
        """See `Broker.depth`. Of jobs for later it counts 100,000 at most. Raises
        BrokerUnavailable."""
        link = await self.ready()
        with link.calling():
            info = await link.jetstream.stream_info(self._stream, f"{self._stream}.{kind}.>")
        return sum((info.state.subjects or {}).values())

    async def oldest_at(self, kind: JobKind) -> datetime | None:
        """See `Broker.oldest_at`. Those that are leased are counted: a stream does not tell."""
        link = await self.ready()
        subject = f"{self._stream}.{kind}.ready"
        with link.calling():
            try:
                message = await link.jetstream.get_msg(
                    self._stream, seq=1, subject=subject, next=True
                )
            except NotFoundError:
                return None
        return message.time

    async def backlog(self, kind: JobKind) -> Backlog:
        """See `Broker.backlog`. The size is that of the jobs of all kinds; a server tells what an
        account may store, and not what its disk holds: full, it refuses what is published."""
        link = await self.ready()
        with link.calling():
            info = await link.jetstream.stream_info(self._stream)
            account = await link.jetstream.account_info()
        most = account.limits.max_storage
        room = max(0, most - account.storage) if most > 0 else None
        return Backlog(jobs=await self.depth(kind), size=info.state.bytes, room=room)

    async def rewrite_rejected(self, kind: JobKind, change: Callable[[bytes], bytes | None]) -> int:
        """See `Broker.rewrite_rejected`. What is replaced is overwritten in the server's file."""
        subject, stream = f"{self._stream}-rejected.{kind}", f"{self._stream}-rejected"
        link = await self.ready()
        with link.calling():
            last = (await link.jetstream.stream_info(stream)).state.last_seq
        at, changed = 0, 0
        while at < last:
            with link.calling():
                try:
                    message = await link.jetstream.get_msg(
                        stream, seq=at + 1, subject=subject, next=True
                    )
                except NotFoundError:
                    return changed
            assert message.seq is not None
            at = message.seq
            payload = change(message.data or b"") if at <= last else None
            if payload is not None:
                await link.publish(subject, payload, message.headers or {})
                with link.calling():
                    await link.jetstream.delete_msg(stream, at)
                changed += 1
        return changed

    async def close(self) -> None:
        self._is_closed = True
        if self._opening is not None:
            await asyncio.wait({self._opening})
        if self._link is not None:
            await self._link.close()

    async def ready(self) -> Link:
        """An open link to a server that has our stream. Whoever needs it while it is being opened
        waits for the same attempt."""
        if self._is_closed:
            raise BrokerUnavailable("the broker is closed")
        if self._link is not None and not self._link.is_lost:
            return self._link
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(_heard)
        await asyncio.wait({self._opening})
        return self._opening.result()

    async def _open(self) -> Link:
        if self._link is not None:
            await self._link.close()
        link = await Link.open(self._address.servers)
        try:
            await self._prepare(link)
        except BaseException as error:
            if isinstance(error, BrokerUnavailable):
                link.judge(error)
            await link.close()
            raise
        self._link = link
        return link

    async def _prepare(self, link: Link) -> None:
        if link.server_version < SERVER_VERSION_MIN:
            version = ".".join(map(str, link.server_version))
            raise BrokerUnavailable(
                f"it is nats-server {version}",
                cure="Clarion needs nats-server 2.12 or newer: upgrade it.",
                lasts=True,
            )
        if link.message_bytes_max < PAYLOAD_BYTES_MAX + HEADER_BYTES:
            raise BrokerUnavailable(
                f"its max_payload is {link.message_bytes_max} bytes",
                cure="Set nats-server's max_payload to 1MB or more.",
                lasts=True,
            )
        with as_unavailable():
            jetstream = link.jetstream
            jobs = StreamConfig(
                name=self._stream,
                subjects=[f"{self._stream}.>"],
                retention=RetentionPolicy.WORK_QUEUE,
                storage=StorageType.FILE,
                num_replicas=self._address.replicas,
                duplicate_window=DEDUPE_WINDOW_SECONDS,
                allow_msg_schedules=True,
            )
            config = await self._have_stream(jetstream, jobs)
            if config.retention != RetentionPolicy.WORK_QUEUE or not config.allow_msg_schedules:
                raise BrokerUnavailable(
                    f"the NATS stream {self._stream} is not one of Clarion's", lasts=True
                )
            if any(
                (limit or 0) > 0 for limit in (config.max_bytes, config.max_msgs, config.max_age)
            ):
                raise BrokerUnavailable(
                    f"the NATS stream {self._stream} throws jobs away when it is full: "
                    "take its limits off, and limit the account instead",
                    lasts=True,
                )
            await self._have_stream(
                jetstream,
                StreamConfig(
                    name=f"{self._stream}-rejected",
                    subjects=[f"{self._stream}-rejected.>"],
                    retention=RetentionPolicy.LIMITS,
                    storage=StorageType.FILE,
                    num_replicas=self._address.replicas,
                ),
            )
            for kind in JobKind:
                await jetstream.add_consumer(
                    self._stream,
                    ConsumerConfig(
                        name=kind.value,
                        durable_name=kind.value,
                        filter_subject=f"{self._stream}.{kind}.ready",
                        ack_wait=UNSET_LEASE_SECONDS,
                        max_deliver=-1,
                        max_ack_pending=-1,
                    ),
                )

    async def _have_stream(self, jetstream: JetStreamContext, wanted: StreamConfig) -> StreamConfig:
        """The stream as it is. One that is there keeps what its operator has set, save replicas
        where the URL says how many."""
        assert wanted.name is not None
        try:
            config = (await jetstream.stream_info(wanted.name)).config
        except NotFoundError:
            return (await jetstream.add_stream(wanted)).config
        if wanted.num_replicas not in (None, config.num_replicas):
            update = config.evolve(num_replicas=wanted.num_replicas)
            return (await jetstream.update_stream(update)).config
        return config

    async def _store(self, link: Link, job: NewJob) -> None:
        subject = f"{self._stream}.{job.kind}.ready"
        headers = {}
        if job.key is not None:
            headers["Nats-Msg-Id"] = job.key
        if job.available_at is not None:
            headers["Nats-Schedule"] = f"@at {job.available_at.isoformat()}"
            headers["Nats-Schedule-Target"] = subject
            subject = f"{self._stream}.{job.kind}.later.{link.fresh_name()}"
        async with self._publishes:
            await link.publish(subject, job.payload, headers)

    async def _hold(self, link: Link, messages: Sequence[Msg], seconds: float) -> None:
        """Set when the leases end. The server hears in order: having heard the last, it has heard
        all, and whoever dies now is followed after `seconds`."""
        if messages:
            for message in messages[:-1]:
                await link.send(message.reply, _come_back(seconds))
            await link.request(messages[-1].reply, _come_back(seconds))

    async def answer(self, message: Msg, verdict: bytes) -> None:
        """Tell the server what became of a job; it has heard when this returns."""
        link = await self.ready()
        await link.request(message.reply, verdict)

    async def put_aside(self, kind: JobKind, message: Msg, reason: str, keep: bytes | None) -> None:
        """Keeps a rejected job, or `keep` in its place, with the reason. Nobody fetches it."""
        reason = " ".join(reason.split())[:REASON_CHARACTERS_MAX]
        link = await self.ready()
        await link.publish(
            f"{self._stream}-rejected.{kind}",
            message.data if keep is None else keep,
            {REASON_HEADER: reason},
        )
        await self.answer(message, f"+TERM {reason}".encode())


class _JetStreamLease:
    def __init__(self, broker: JetStreamBroker, kind: JobKind, message: Msg) -> None:
        self._broker = broker
        self._kind = kind
        self._message = message
        self.payload = message.data
        self.delivery_count = message.metadata.num_delivered

    async def ack(self) -> None:
        await self._broker.answer(self._message, b"+ACK")

    async def nack(self, delay_seconds: float = 0.0) -> None:
        await self._broker.answer(self._message, _come_back(delay_seconds))

    async def reject(self, reason: str, *, keep: bytes | None = None) -> None:
        await self._broker.put_aside(self._kind, self._message, reason, keep)

    async def extend(self, seconds: float) -> None:
        await self._broker.answer(self._message, _come_back(seconds))


def _heard(opening: asyncio.Task[Link]) -> None:
    """Who waited has gone: nobody else will look at the failure."""
    if not opening.cancelled():
        opening.exception()


def _come_back(seconds: float) -> bytes:
    """A negative acknowledgement: let the job be found in `seconds`, not before."""
    if seconds <= 0:
        return b"-NAK"
    return b'-NAK {"delay": %d}' % int(seconds * 1e9)
