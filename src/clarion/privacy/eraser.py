"""The eraser: removes a person from every table, in slices that hold nobody up.

    begin ─→ deliveries ─→ events ⇄ begin again ─→ claims, history ─→ the rest ─→ refusals ─→ jobs
      │      made nobody's   (they name further ids)                               put aside
      └ from here on nothing of theirs is taken in, and nothing sent to them

What is to be removed, and how far that is, is a row of its own: an erasure that was cut off goes on
where it was, asked for again or by itself. Whoever works on it has claimed the row, and looks in
every transaction whether it is still theirs. Events go before the claims that file them, so that
nothing of the person is filed anew with somebody else meanwhile; the row goes last of all.

A life of 300,000 events takes a minute or so, and no transaction longer than a batch of events.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.agent import Agent, AgentName, Pause
from clarion.audiences.saved.erasure_store import forget_in_saved
from clarion.broker import Broker, JobKind
from clarion.campaigns.erasure_store import campaigns_naming, forget_in_audiences
from clarion.clock import Clock
from clarion.customers import erasure_store
from clarion.customers.identity import store as identity_store
from clarion.customers.identity.identifier import device_row_id
from clarion.customers.identity.ownership import owner_of_stored
from clarion.customers.identity.person import PiiMatcher, ids_of_body, telling_words, words_of_body
from clarion.customers.identity.person_store import find_person
from clarion.customers.ingestion import Ingestion
from clarion.customers.profile.trait_claim_store import remove_claims, some_claims_of
from clarion.customers.suppression import SuppressionKind
from clarion.customers.suppression_store import shut_out, wait_for_refusals
from clarion.deliveries.customer_index.store import forget_customers, launches_to_look_at
from clarion.deliveries.erasure_store import make_nobodys, release_quarantine
from clarion.deliveries.pushes.store import forget_pushes
from clarion.events.erasure_store import RemovableEvent, remove_events, some_events_of
from clarion.events.trace_store import remove_some_traces_of
from clarion.ingest_log.erasure_store import blank_entries_of, blank_refused
from clarion.privacy.anonymous_events import AnonymousEvent, events_of_strangers
from clarion.privacy.dead_letter_scrub import without
from clarion.privacy.erasure_claims import ErasureClaims, TakenOver
from clarion.privacy.erasure_request_store import Erasure, forget_erasure, keep_erasure, unfinished
from clarion.storage.bulk import in_parts
from clarion.storage.database import Database
from clarion.storage.leader_lease import LeaderLease

ROUNDS_MAX = 8
"""Events name further ids, and those lead to further events; no more often than that."""
CAMPAIGNS_AT_ONCE = 100
"""Whose audiences are written anew in one transaction."""

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
    look_seconds: float = 1.0
    """How often is looked whether an erasure that another process has taken over is finished."""


class Eraser:
    """Erases, and goes on with what was cut off. Any number may erase; `lease` is that of the one
    which goes on with what was cut off, None where no other can run."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        options: EraserOptions | None = None,
        lease: LeaderLease | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._options = options or EraserOptions()
        self._lease = lease
        self._claims = ErasureClaims(database, clock, lost_seconds=self._options.lost_seconds)

    def agents(self) -> list[Agent]:
        """What the runner repeats."""
        return [Agent(name=AgentName.ERASER, step=self._turn, leadership=self._lease)]

    async def step(self) -> int:
        """Finish the erasures that were cut off; returns how many."""
        async with self._database.read() as connection:
            lost = list(filter(self._claims.is_lost, await unfinished(connection)))
        count = 0
        for erasure in lost:
            claimed = await self._claims.claim(erasure)
            if claimed is None:
                continue
            log.info("erasure_goes_on", workspace=str(claimed.workspace_id), by=claimed.made_by)
            try:
                await self._finish(claimed)
                count += 1
            except TakenOver:
                log.info("erasure_taken_over", workspace=str(claimed.workspace_id))
        return count

    async def finish(self, erasure: Erasure) -> Erasure:
        """Return when nothing is left, with how much it was in all: when we have removed it, or
        whoever has claimed it since. Raises StorageUnavailable, BrokerUnavailable; then it is
        finished later, by itself."""
        is_ours = True
        while is_ours:
            try:
                return await self._finish(erasure)
            except TakenOver:
                log.info("erasure_taken_over", workspace=str(erasure.workspace_id))
            erasure, is_ours = await self._claims.wait(erasure, self._options.look_seconds)
        return erasure

    async def _turn(self) -> Pause:
        await self.step()
        return Pause(seconds=self._options.every_seconds)

    async def _finish(self, erasure: Erasure) -> Erasure:
        """Remove what is left. Raises TakenOver."""
        async with self._claims.keeping(erasure):
            erasure = await self._remove_all(erasure)
            await self._broker.rewrite_rejected(
                JobKind.EVENTS,
                lambda payload: without(payload, erasure.workspace_id, erasure.person),
            )
            await self._claims.transact(erasure, _forget)
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

    async def _remove_all(self, erasure: Erasure) -> Erasure:
        for _ in range(ROUNDS_MAX):
            erasure = await self._events(await self._deliveries(erasure))
            if erasure.met <= erasure.person.ids | erasure.person.shared:
                break
            erasure = await self._claims.transact(erasure, self._shut)
        erasure = await self._strangers(erasure)
        while await self._identity_claims(erasure) == self._options.rows_max:
            await self._pause()
        await self._audiences(erasure)
        return await self._refusals(await self._rest(erasure))

    async def _shut(self, connection: AsyncConnection, erasure: Erasure) -> Erasure:
        return await shut(connection, erasure, self._clock.now())

    async def _deliveries(self, erasure: Erasure) -> Erasure:
        workspace_id, person = erasure.workspace_id, erasure.person
        own = [device_row_id(workspace_id, device_id) for device_id in person.ids]
        past = [
            device_row_id(workspace_id, device_id) for device_id in erasure.devices - person.ids
        ]
        async with self._database.read() as connection:
            # What their own devices were sent while they were somebody else's is theirs, too.
            owners = await erasure_store.owners_of(connection, workspace_id, person.ids)
            launched = await launches_to_look_at(
                connection, workspace_id, owners | person.customer_ids
            )

        async def release(connection: AsyncConnection, _erasure: Erasure) -> None:
            await release_quarantine(connection, workspace_id, [*own, *past])

        async def make_some_nobodys(
            part: Sequence[UUID], connection: AsyncConnection, erasure: Erasure
        ) -> Erasure:
            count = await make_nobodys(
                connection,
                part,
                own_devices=own,
                past_devices=past,
                customer_ids=person.customer_ids,
                new_id=self._clock.new_id,
                now=self._clock.now(),
            )
            return await self._kept(
                connection, replace(erasure, deliveries=erasure.deliveries + count)
            )

        await self._claims.transact(erasure, release)
        for part in in_parts(launched, self._options.launches_max):
            erasure = await self._claims.transact(erasure, partial(make_some_nobodys, part))
            if len(part) == self._options.launches_max:
                await self._pause()
        return erasure

    async def _events(self, erasure: Erasure) -> Erasure:
        """Remove their events, and learn which ids and words stood in them."""
        while True:
            erasure, count = await self._claims.transact(erasure, self._some_events)
            if count == self._options.rows_max:
                await self._pause()
            elif not count:  # a slice is of one kind: one that is not full need not be the last
                return erasure

    async def _some_events(
        self, connection: AsyncConnection, erasure: Erasure
    ) -> tuple[Erasure, int]:
        person = erasure.person
        rows = await some_events_of(
            connection,
            erasure.workspace_id,
            customer_ids=sorted(person.customer_ids),
            ids=sorted(person.ids),
            users=person.users,
            limit=self._options.rows_max,
        )
        if not rows:
            return await self._some_claims(connection, erasure)
        met = erasure.met.union(*(ids_of_body(row.body) for row in rows))
        words = person.words.union(
            *(words_of_body(row.body) for row in rows if row.type == "identify")
        )
        await self._remove(connection, erasure.workspace_id, rows)
        erasure = replace(
            erasure,
            met=met,
            person=replace(person, words=words),
            events=erasure.events + len(rows),
        )
        return await self._kept(connection, erasure), len(rows)

    async def _some_claims(
        self, connection: AsyncConnection, erasure: Erasure
    ) -> tuple[Erasure, int]:
        """What they taught that no event tells any more, and what is kept of removed events."""
        workspace_id, person = erasure.workspace_id, erasure.person
        claims = await some_claims_of(
            connection, workspace_id, sorted(person.customer_ids), self._options.rows_max
        )
        if not claims:
            who, most = sorted(person.customer_ids), self._options.rows_max
            return erasure, await remove_some_traces_of(connection, workspace_id, who, most)
        words = person.words.union(telling_words(claim.traits for claim in claims))
        theirs = [(claim.key, claim.message_id) for claim in claims]
        await remove_claims(connection, workspace_id, theirs)
        erasure = replace(erasure, person=replace(person, words=words))
        return await self._kept(connection, erasure), len(claims)

    async def _remove(
        self, connection: AsyncConnection, workspace_id: UUID, rows: Sequence[RemovableEvent]
    ) -> None:
        """Remove events, and what they taught."""
        taught = [(row.key, row.message_id) for row in rows if row.type == "identify"]
        await remove_claims(connection, workspace_id, taught)
        await remove_events(connection, workspace_id, rows)

    async def _strangers(self, erasure: Erasure) -> Erasure:
        """Remove what nobody known did on the person's devices: such events name them, too."""
        anonymous = await events_of_strangers(
            self._database, erasure.workspace_id, erasure.person.ids, self._options.rows_max
        )
        for part in in_parts(anonymous, self._options.rows_max):
            erasure = await self._claims.transact(erasure, partial(self._remove_strangers, part))
        return erasure

    async def _remove_strangers(
        self, events: Sequence[AnonymousEvent], connection: AsyncConnection, erasure: Erasure
    ) -> Erasure:
        workspace_id = erasure.workspace_id
        keys = {event.key for event in events}
        known = await identity_store.lock_identifiers(connection, workspace_id, keys)
        await self._remove(connection, workspace_id, events)
        owners = [
            owner_of_stored(event, known[event.key]) for event in events if event.key in known
        ]
        await Ingestion(connection, workspace_id, self._clock.now()).make_anew(owners)
        return await self._kept(connection, replace(erasure, events=erasure.events + len(events)))

    async def _identity_claims(self, erasure: Erasure) -> int:
        rows, remove = self._options.rows_max, erasure_store.remove_some
        return await self._claims.transact(
            erasure, lambda it, now: remove(it, now.workspace_id, now.person, rows)
        )

    async def _refusals(self, erasure: Erasure) -> Erasure:
        """Take away what refusals show of them: last, once every id is listed, and no transaction
        is under way that has looked at the list before."""
        await self._database.transact(
            lambda connection: wait_for_refusals(connection, erasure.workspace_id), self._clock
        )
        signs = PiiMatcher(erasure.person)

        async def blank_theirs(connection: AsyncConnection, erasure: Erasure) -> Erasure:
            count = await blank_entries_of(connection, erasure.workspace_id, erasure.person.ids)
            return await self._kept(connection, replace(erasure, refusals=erasure.refusals + count))

        async def blank_some(
            start: int, connection: AsyncConnection, erasure: Erasure
        ) -> tuple[Erasure, int | None]:
            count, end = await blank_refused(
                connection, erasure.workspace_id, signs.are_in, after=start
            )
            counted = replace(erasure, refusals=erasure.refusals + count)
            return await self._kept(connection, counted), end

        erasure = await self._claims.transact(erasure, blank_theirs)
        after: int | None = 0
        while after is not None:
            erasure, after = await self._claims.transact(erasure, partial(blank_some, after))
        return erasure

    async def _audiences(self, erasure: Erasure) -> None:
        person = erasure.person
        async with self._database.read() as connection:
            naming = await campaigns_naming(
                connection, erasure.workspace_id, person.ids | person.words
            )

        async def forget_some(
            part: Sequence[UUID], connection: AsyncConnection, _erasure: Erasure
        ) -> None:
            await forget_in_audiences(
                connection, part, person.ids, person.words, new_id=self._clock.new_id
            )

        for part in in_parts(naming, CAMPAIGNS_AT_ONCE):
            await self._claims.transact(erasure, partial(forget_some, part))
        saved = (erasure.workspace_id, person.ids, person.words, self._clock.new_id)
        await self._claims.transact(erasure, lambda writer, _: forget_in_saved(writer, *saved))

    async def _rest(self, erasure: Erasure) -> Erasure:
        """What is left by now is little, and goes in one transaction with what follows for others;
        with it whatever has come in since the first."""
        workspace_id = erasure.workspace_id
        looked_at = erasure.devices | erasure.person.ids | erasure.person.shared
        async with self._database.read() as connection:
            installations = await erasure_store.installations_on(
                connection, workspace_id, looked_at
            )

        async def work(connection: AsyncConnection, erasure: Erasure) -> Erasure:
            erasure = await self._shut(connection, erasure)
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
            await forget_customers(connection, person.customer_ids)
            await forget_pushes(connection, sorted(person.customer_ids))
            await Ingestion(connection, workspace_id, self._clock.now()).settle_anew(person.shared)
            return erasure

        return await self._claims.transact(erasure, work)

    async def _kept(self, connection: AsyncConnection, erasure: Erasure) -> Erasure:
        erasure = replace(erasure, touched_at=self._clock.now())
        await keep_erasure(connection, erasure)
        return erasure

    async def _pause(self) -> None:
        await self._clock.sleep(self._options.pause_seconds)


async def shut(connection: AsyncConnection, erasure: Erasure, now: datetime) -> Erasure:
    """Suppresses the person by all known ids: nothing of theirs is ingested or sent any more."""
    workspace_id = erasure.workspace_id
    person = await find_person(connection, workspace_id, erasure.person, erasure.met, locks=True)
    had = await erasure_store.past_devices_of(connection, workspace_id, person)
    erasure = replace(erasure.joined(person), devices=erasure.devices | had, touched_at=now)
    await shut_out(connection, workspace_id, person, SuppressionKind.ERASED, now)
    await keep_erasure(connection, erasure)
    return erasure


async def _forget(connection: AsyncConnection, erasure: Erasure) -> None:
    await forget_erasure(connection, erasure.id)
