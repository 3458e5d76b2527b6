"""Everything that is known of one customer, as a zip: what a person may ask to be given.

Each list is read page by page and written as it is read, so that a long life takes no more memory
than a short one. Registration tokens are shown as fingerprints: a copy in a mailbox must not be
good for sending.
"""

import asyncio
import zipfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any, cast
from uuid import UUID

import msgspec

from clarion.customers.devices.store import Device, customer_history, list_devices_of
from clarion.customers.profile.redaction import shown_body, shown_facts, shown_traits
from clarion.customers.profile.redaction_store import known_in_events, known_in_traits
from clarion.customers.profile.store import Customer
from clarion.deliveries.pushes.store import pushes_to
from clarion.events.store import StoredEvent
from clarion.reports.timeline_store import Position, events_of, position, pushes_of
from clarion.storage.database import Database

PAGE = 500

README = """\
What is known of one customer, as of {now}.

profile.json     who they are: their ids, their traits, whether they want pushes
devices.json     where they can be reached, now and before
events.json      what their apps told, the newest first, as it came
history.json     which devices came to them, changed, or left, the oldest first
deliveries.json  what was pushed to them, and what became of it, the newest first
pushes.json      pushes to them alone: what they said, and the data they were asked for with

Times are in UTC. Registration tokens are shown as fingerprints, the first digits of their SHA-256.
"""


class _Pieces:
    """A file that is only written to, and taken away as it grows."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """What was written since it was taken last."""
        taken = b"".join(self._written)
        self._written.clear()
        return taken


async def open_dossier(
    database: Database, workspace_id: UUID, customer: Customer, now: datetime
) -> AsyncIterator[bytes]:
    """The zip, piece by piece, none much larger than a page. What is read first is read before this
    returns: a database that is away is known before anything is sent."""
    async with database.read() as connection:
        devices = await list_devices_of(connection, workspace_id, customer.id)
        hidden_tokens = await known_in_traits(connection, workspace_id, [customer])
    profile = {name: value for name, value in asdict(customer).items() if name != "traits"}
    profile["traits"] = shown_traits(customer.traits, hidden_tokens)
    texts = {
        "README.txt": lambda: README.format(now=now.isoformat()).encode(),
        "profile.json": lambda: _json(profile),
        "devices.json": lambda: _json([_device(device) for device in devices]),
    }
    lists = {
        "events.json": _events(database, workspace_id, customer.id),
        "history.json": _history(database, workspace_id, customer.id),
        "deliveries.json": _deliveries(database, workspace_id, customer.id),
        "pushes.json": _pushes(database, customer.id),
    }
    return _zipped(texts, lists, now)


async def _zipped(
    texts: Mapping[str, Callable[[], bytes]],
    lists: Mapping[str, AsyncIterator[Sequence[dict[str, Any]]]],
    now: datetime,
) -> AsyncIterator[bytes]:
    """All work on bytes is done in threads: to deflate a page takes longer than others may wait."""
    pieces = _Pieces()
    archive = zipfile.ZipFile(cast(IO[bytes], pieces), "w", zipfile.ZIP_DEFLATED)
    for name, text in texts.items():
        await asyncio.to_thread(lambda name, text: archive.writestr(name, text()), name, text)
        yield pieces.take()
    for name, pages in lists.items():
        info = zipfile.ZipInfo(name, now.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        entry = archive.open(info, "w", force_zip64=True)
        before = b"[\n"
        async for page in pages:
            if page:
                await asyncio.to_thread(_write_page, entry, before, page)
                before = b",\n"
                if piece := pieces.take():
                    yield piece
        entry.write(b"[]\n" if before == b"[\n" else b"\n]\n")
        await asyncio.to_thread(entry.close)
    archive.close()
    yield pieces.take()


def _write_page(entry: IO[bytes], before: bytes, page: Sequence[dict[str, Any]]) -> None:
    entry.write(before + b",\n".join(map(msgspec.json.encode, page)))


async def _events(
    database: Database, workspace_id: UUID, customer_id: UUID
) -> AsyncIterator[list[dict[str, Any]]]:
    before: Position | None = None
    while True:
        async with database.read() as connection:
            events = await events_of(connection, workspace_id, customer_id, before, PAGE)
            hidden_tokens = await known_in_events(connection, workspace_id, events)
        yield [_told(event, hidden_tokens) for event in events]
        if len(events) < PAGE:
            return
        before = position(events[-1])


async def _history(
    database: Database, workspace_id: UUID, customer_id: UUID
) -> AsyncIterator[Sequence[dict[str, Any]]]:
    seq: int | None = None
    while True:
        async with database.read() as connection:
            changes = await customer_history(
                connection, workspace_id, customer_id, after_seq=seq, limit=PAGE
            )
        yield [asdict(change) for change in changes]
        if len(changes) < PAGE:
            return
        seq = changes[-1].seq


async def _deliveries(
    database: Database, workspace_id: UUID, customer_id: UUID
) -> AsyncIterator[Sequence[dict[str, Any]]]:
    before: Position | None = None
    while True:
        async with database.read() as connection:
            pushes = await pushes_of(connection, workspace_id, customer_id, before, PAGE)
        yield [asdict(push) for push in pushes]
        if len(pushes) < PAGE:
            return
        before = position(pushes[-1])


async def _pushes(database: Database, customer_id: UUID) -> AsyncIterator[Sequence[dict[str, Any]]]:
    after: UUID | None = None
    while True:
        async with database.read() as connection:
            pushes = await pushes_to(connection, customer_id, after=after, limit=PAGE)
        yield pushes
        if len(pushes) < PAGE:
            return
        after = pushes[-1]["id"]


def _device(device: Device) -> dict[str, Any]:
    return asdict(device) | {"facts": shown_facts(device.facts)}


def _told(event: StoredEvent, known: Collection[str]) -> dict[str, Any]:
    record = {name: getattr(event, name) for name in StoredEvent.__slots__}
    return record | {"body": shown_body(event.body, known)}


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value))
