"""The eraser: removes a person from every table, in slices that hold nobody up.

    begin ─→ deliveries ─→ events ⇄ begin again ─→ claims, history ─→ the rest ─→ refusals ─→ jobs
      │      made nobody's   (they name further ids)                               put aside
      └ from here on nothing of theirs is taken in, and nothing sent to them

What is to be removed, and how far that is, is a row of its own: an erasure that was cut off goes on
where it was, asked for again or by itself. Events go before the claims that file them, so that
nothing of the person is filed anew with somebody else meanwhile; the row goes last of all.

A life of 300,000 events takes a minute or so; of that, no transaction takes longer than a batch of
events does.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import Broker, BrokerUnavailable, JobKind
from clarion.campaigns.erasure_store import forget_in_audiences
from clarion.clock import SKEW, Clock
from clarion.customers import erasure_store
from clarion.customers.identity import store as identity_store
from clarion.customers.identity.identifier import device_row_id
from clarion.customers.identity.person import Signs, ids_of_body, words_of_body
from clarion.customers.identity.person_store import find_person, named_person
from clarion.customers.ingestion import Ingestion, owner_of_stored
from clarion.customers.profile.store import find_customer
from clarion.customers.suppression import SuppressionKind
from clarion.customers.suppression_store import shut_out, wait_for_refusals
from clarion.deliveries.erasure_store import launches_of, make_nobodys, release_quarantine
from clarion.events.erasure_store import (
    blank_refusals,
    remove_events,
    some_events_of,
    strangers_events,
)
from clarion.privacy.dead_letter_scrub import without
from clarion.privacy.erasure_request_store import Erasure, forget_erasure, keep_erasure, unfinished
from clarion.storage.bulk import in_parts
from clarion.storage.database import Database, StorageUnavailable

ROUNDS_MAX = 8
"""Events name further ids, and those lead to further events; no more often than that."""
STRANGERS_MAX = 20
"""An id that more anonymous people than this came with is no device of one person's."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EraserOptions:
    rows_max: int = 1_000
    """Removed in one transaction."""
    launches_max: int = 100
    """Whose deliveries are looked through in one transaction."""
    pause_seconds: float = 0.02
    """Between two slices: for writers of other processes, too."""
    lost_seconds: float = 60.0
    """An erasure that nobody has touched for so long was cut off."""
    every_seconds: float = 60.0


class Eraser:
    """Erases, and goes on with what was cut off. Any number may run."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        options: EraserOptions | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._options = options or EraserOptions()

    async def run(self) -> None:
        """Repeat `step` every `every_seconds` until cancelled."""
        while True:
            try:
                await self.step()
            except (StorageUnavailable, BrokerUnavailable) as error:
                log.warning("eraser_waits", reason=str(error))
            await self._clock.sleep(self._options.every_seconds)

    async def step(self) -> int:
        """Finish the erasures that were cut off; returns how many."""
        lost = self._clock.now() - timedelta(seconds=self._options.lost_seconds)
        async with self._database.read() as connection:
            found = [
                one
                for one in await unfinished(connection)
                # Touched later than now: by a clock that has been set back since.
                if one.touched_at <= lost or one.touched_at > self._clock.now() + SKEW
            ]
        for erasure in found:
            log.info("erasure_goes_on", workspace=str(erasure.workspace_id), by=erasure.made_by)
            await self.finish(erasure)
        return len(found)

    async def finish(self, erasure: Erasure) -> Erasure:
        """Remove what is left; returns how much it was in all."""
        for _ in range(ROUNDS_MAX):
            erasure = await self._events(await self._deliveries(erasure))
            if erasure.met <= erasure.person.ids | erasure.person.shared:
                break
            async with self._database.write() as connection:
                erasure = await _shut(connection, erasure, self._clock.now())
        erasure = await self._strangers(erasure)
        while await self._claims(erasure) == self._options.rows_max:
            await self._pause()
        await self._audiences(erasure)
        erasure = await self._rest(erasure)
        erasure = await self._refusals(erasure)
        await self._broker.rewrite_rejected(
            JobKind.EVENTS,
            lambda payload: without(payload, erasure.workspace_id, erasure.person),
        )
        async with self._database.write() as connection:
            await forget_erasure(connection, erasure.id)
        await self._database.empty_log()
        # A warning, so that a command tells it too: it is the one trace of what can not be undone.
        log.warning(
            "customer_erased",
            workspace=str(erasure.workspace_id),
            by=erasure.made_by,
            customers=len(erasure.person.customer_ids),
            events=erasure.events,
            deliveries=erasure.deliveries,
            refusals=erasure.refusals,
        )
        return erasure

    async def _deliveries(self, erasure: Erasure) -> Erasure:
        workspace_id, person = erasure.workspace_id, erasure.person
        own = [device_row_id(workspace_id, one) for one in person.ids]
        past = [device_row_id(workspace_id, one) for one in erasure.devices - person.ids]
        async with self._database.read() as connection:
            launched = await launches_of(connection, workspace_id)
        async with self._database.write() as connection:
            await release_quarantine(connection, [*own, *past])
        for part in in_parts(launched, self._options.launches_max):
            async with self._database.write() as connection:
                count = await make_nobodys(
                    connection,
                    part,
                    own_devices=own,
                    past_devices=past,
                    customer_ids=person.customer_ids,
                    new_id=self._clock.new_id,
                    now=self._clock.now(),
                )
                erasure = await self._kept(
                    connection, replace(erasure, deliveries=erasure.deliveries + count)
                )
            if len(part) == self._options.launches_max:
                await self._pause()
        return erasure

    async def _events(self, erasure: Erasure) -> Erasure:
        """Remove their events, and learn which ids and words stood in them."""
        while True:
            async with self._database.write() as connection:
                erasure, count = await self._some_events(connection, erasure)
            if count < self._options.rows_max:
                return erasure
            await self._pause()

    async def _some_events(
        self, connection: AsyncConnection, erasure: Erasure
    ) -> tuple[Erasure, int]:
        person = erasure.person
        found = await some_events_of(
            connection,
            erasure.workspace_id,
            customer_ids=sorted(person.customer_ids),
            ids=sorted(person.ids),
            users=person.users,
            limit=self._options.rows_max,
        )
        if not found:
            return erasure, 0
        met = erasure.met.union(*(ids_of_body(row.body) for row in found))
        words = person.words.union(
            *(words_of_body(row.body) for row in found if row.type == "identify")
        )
        await remove_events(connection, erasure.workspace_id, found)
        erasure = replace(
            erasure,
            met=met,
            person=replace(person, words=words),
            events=erasure.events + len(found),
        )
        return await self._kept(connection, erasure), len(found)

    async def _strangers(self, erasure: Erasure) -> Erasure:
        """Remove what nobody known did on the person's devices: such events name them, too."""
        workspace_id, ids = erasure.workspace_id, erasure.person.ids
        named: dict[str, dict[int, Any]] = defaultdict(dict)
        keys: dict[str, set[str]] = defaultdict(set)
        after = 0
        while True:
            async with self._database.read() as connection:
                page = await strangers_events(
                    connection, workspace_id, after=after, limit=self._options.rows_max
                )
            for row in page:
                for one in ids_of_body(row.body) & ids:
                    keys[one].add(row.owner_key)
                    if len(keys[one]) <= STRANGERS_MAX:
                        named[one][row.seq] = row
            if len(page) < self._options.rows_max:
                break
            after = page[-1].seq
        found = {
            seq: row
            for one, rows in named.items()
            if len(keys[one]) <= STRANGERS_MAX
            for seq, row in rows.items()
        }
        for part in in_parts(found.values(), self._options.rows_max):
            async with self._database.write() as connection:
                erasure = await self._remove_strangers(connection, erasure, part)
        return erasure

    async def _remove_strangers(
        self, connection: AsyncConnection, erasure: Erasure, rows: Sequence[Any]
    ) -> Erasure:
        workspace_id = erasure.workspace_id
        keys = {row.owner_key for row in rows}
        known = await identity_store.lock_identifiers(connection, workspace_id, keys)
        await remove_events(connection, workspace_id, rows)
        await Ingestion(connection, workspace_id, self._clock.now()).make_anew(
            owner_of_stored(row, known[row.owner_key].timeline)
            for row in rows
            if row.owner_key in known
        )
        return await self._kept(connection, replace(erasure, events=erasure.events + len(rows)))

    async def _claims(self, erasure: Erasure) -> int:
        async with self._database.write() as connection:
            count = await erasure_store.remove_some(
                connection, erasure.workspace_id, erasure.person, self._options.rows_max
            )
            await self._kept(connection, erasure)
        return count

    async def _refusals(self, erasure: Erasure) -> Erasure:
        """Take away what refusals show of them: last, once every id is listed, and no transaction
        is under way that has looked at the list before."""
        async with self._database.write() as connection:
            await wait_for_refusals(connection, erasure.workspace_id)
        signs = Signs(erasure.person)
        after: int | None = 0
        while after is not None:
            async with self._database.write() as connection:
                count, after = await blank_refusals(
                    connection, erasure.workspace_id, signs.are_in, after=after
                )
                erasure = await self._kept(
                    connection, replace(erasure, refusals=erasure.refusals + count)
                )
        return erasure

    async def _audiences(self, erasure: Erasure) -> None:
        person = erasure.person
        after, is_more = None, True
        while is_more:
            async with self._database.write() as connection:
                after = await forget_in_audiences(
                    connection,
                    erasure.workspace_id,
                    person.ids,
                    person.words,
                    after=after,
                    new_id=self._clock.new_id,
                )
            is_more = after is not None

    async def _rest(self, erasure: Erasure) -> Erasure:
        """What is left by now is little, and goes in one transaction with what follows for others;
        with it whatever has come in since the first."""
        workspace_id = erasure.workspace_id
        looked_at = erasure.devices | erasure.person.ids | erasure.person.shared
        async with self._database.read() as connection:
            installations = await erasure_store.installations_on(
                connection, workspace_id, looked_at
            )
        async with self._database.write() as connection:
            erasure = await _shut(connection, erasure, self._clock.now())
            count = 1
            while count:
                erasure, count = await self._some_events(connection, erasure)
            person = erasure.person
            while await erasure_store.remove_some(
                connection, workspace_id, person, self._options.rows_max
            ):
                pass
            await erasure_store.strip_devices(
                connection,
                workspace_id,
                person,
                erasure.devices | person.ids | person.shared,
                installations,
            )
            await erasure_store.remove_person(connection, workspace_id, person)
            await Ingestion(connection, workspace_id, self._clock.now()).settle_anew(person.shared)
        return erasure

    async def _kept(self, connection: AsyncConnection, erasure: Erasure) -> Erasure:
        erasure = replace(erasure, touched_at=self._clock.now())
        await keep_erasure(connection, erasure)
        return erasure

    async def _pause(self) -> None:
        await self._clock.sleep(self._options.pause_seconds)


async def begin(
    connection: AsyncConnection,
    workspace_id: UUID,
    name: str,
    *,
    by: str,
    erasure_id: UUID,
    now: datetime,
) -> Erasure | None:
    """Let nothing more of `name` in or out; None: there is nobody of that name, nor an erasure of
    theirs under way. Once this is committed it is going to be finished, whatever happens."""
    pending = await unfinished(connection, workspace_id=workspace_id)
    erasure = next((one for one in pending if one.is_of(name)), None)
    customer = await find_customer(connection, workspace_id, name)
    if customer is None:
        return erasure
    if erasure is None:
        erasure = Erasure(
            id=erasure_id,
            workspace_id=workspace_id,
            person=await named_person(connection, workspace_id, customer),
            made_by=by,
            begun_at=now,
            touched_at=now,
        )
    return await _shut(connection, erasure, now)


async def _shut(connection: AsyncConnection, erasure: Erasure, now: datetime) -> Erasure:
    """Nothing more of theirs is taken in or sent, as far as their ids are known by now."""
    workspace_id = erasure.workspace_id
    person = await find_person(connection, workspace_id, erasure.person, erasure.met, locks=True)
    had = await erasure_store.past_devices_of(connection, workspace_id, person)
    erasure = replace(erasure.joined(person), devices=erasure.devices | had, touched_at=now)
    await shut_out(connection, workspace_id, person, SuppressionKind.ERASED, now)
    await keep_erasure(connection, erasure)
    return erasure
