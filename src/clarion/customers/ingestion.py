"""One transaction that takes in events: the plan (`ingest_plan`), driven by the stores."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar, assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices import registration_store
from clarion.customers.devices.store import add_history, count_devices
from clarion.customers.identity import store as identity_store
from clarion.customers.identity.batch import Arrival
from clarion.customers.identity.claims.repeated_claim_store import claims_told_again
from clarion.customers.identity.companion_store import add_companions
from clarion.customers.identity.identifier import Owner
from clarion.customers.ingest_plan import requests as ask
from clarion.customers.ingest_plan.outcomes import Outcomes
from clarion.customers.ingest_plan.plan import IngestPlan
from clarion.customers.profile import store
from clarion.customers.profile.trait_claim_store import (
    add_trait_claims,
    trait_claims_of,
    with_few_claims,
)
from clarion.customers.suppression_store import let_through
from clarion.events.store import insert_events, look_before
from clarion.ingest_log.tally import Names, Tally

BESIDE_MIN = 100
"""Events; so many take some milliseconds."""

T = TypeVar("T")


async def beside(size: int, work: Callable[[], T]) -> T:
    """Do `work`, which only computes, on `size` events: in a thread where that takes long enough to
    keep others waiting who share the event loop."""
    return await asyncio.to_thread(work) if size > BESIDE_MIN else work()


class Ingestion:
    """The events of one workspace, in one transaction."""

    def __init__(
        self,
        connection: AsyncConnection,
        workspace_id: UUID,
        now: datetime,
        tally: Tally | None = None,
    ) -> None:
        """`tally`: hears what became of the events, for whoever writes it down."""
        self._connection = connection
        self._workspace_id = workspace_id
        self._now = now
        outcomes = Outcomes(tally or Tally(Names()), workspace_id)
        self._plan = IngestPlan(workspace_id, now, outcomes)

    async def take(self, arrivals: Sequence[Arrival]) -> int:
        """Take in `arrivals`; returns how many were new."""
        return await self._drive(self._plan.take(arrivals))

    async def settle_anew(self, keys: Collection[str]) -> None:
        """Make what follows from the claims on `keys` anew: some of them are there no more."""
        await self._drive(self._plan.settle_anew(keys))

    async def make_anew(self, users: Iterable[Owner]) -> None:
        """Make what is known of `users` anew from their events; who has none is forgotten."""
        await self._drive(self._plan.make_anew(users))

    async def _drive(self, plan: ask.Plan[T]) -> T:
        answer: Any = None
        while True:
            try:
                asked = plan.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            match asked:
                case ask.Compute(size, work):
                    answer = await beside(size, work)
                case ask.Write():
                    answer = None
                    await self._write(asked)
                case _:
                    answer = await self._read(asked)

    async def _read(self, asked: ask.Read) -> Any:
        """What each is answered with, its class says."""
        connection, workspace_id = self._connection, self._workspace_id
        match asked:
            case ask.LockIdentifiers(keys):
                return await identity_store.lock_identifiers(connection, workspace_id, keys)
            case ask.LookBefore(message_ids):
                return await look_before(connection, workspace_id, message_ids)
            case ask.LetThrough(arrivals, known, salt):
                return await let_through(connection, workspace_id, arrivals, known, salt)
            case ask.KeysOf(user_ids):
                claimed = await identity_store.keys_claimed_by(connection, workspace_id, user_ids)
                return claimed | await registration_store.devices_deleted_by(
                    connection, workspace_id, user_ids
                )
            case ask.ClaimsOn(keys):
                return await identity_store.claims_on(connection, workspace_id, keys)
            case ask.FlagsOf(keys):
                return await identity_store.read_flags(connection, workspace_id, keys)
            case ask.ClaimsToldAgain(days):
                return await claims_told_again(connection, workspace_id, days, self._now)
            case ask.FewClaims(ids, most):
                return await with_few_claims(connection, workspace_id, ids, most)
            case ask.LockCustomers(ids):
                return await store.lock_customers(connection, ids)
            case ask.SeenBetween(ids):
                return await store.seen_between(connection, workspace_id, ids)
            case ask.TraitClaimsOf(ids):
                return await trait_claims_of(connection, workspace_id, ids)
            case ask.LastSeen(customer_id, unseen):
                return await store.last_seen(connection, workspace_id, customer_id, unseen=unseen)
            case ask.LockHolders(hashes):
                return await registration_store.lock_holders(connection, workspace_id, hashes)
            case ask.LockDevices(device_ids):
                return await registration_store.lock_devices(connection, workspace_id, device_ids)
            case ask.DeletionsOf(device_ids):
                return await registration_store.deletions_of(connection, workspace_id, device_ids)
            case ask.CountDevices(ids):
                return await count_devices(connection, workspace_id, ids)
        assert_never(asked)

    async def _write(self, asked: ask.Written) -> None:
        connection, workspace_id = self._connection, self._workspace_id
        match asked:
            case ask.WriteIdentity():
                await identity_store.add_claims(connection, workspace_id, asked.claims)
                await identity_store.keep_identifiers(connection, workspace_id, asked.identifiers)
                await identity_store.write_owned(
                    connection,
                    workspace_id,
                    asked.owned,
                    outdated=asked.outdated,
                    led=asked.led,
                    near=asked.near,
                )
                await add_companions(connection, workspace_id, asked.companions)
            case ask.WriteEvents(events, hashes, receipts, awaited, taught):
                came = [(key, arrival.source_id, arrival.event) for key, arrival in events]
                await insert_events(connection, workspace_id, came, hashes, receipts, awaited)
                await add_trait_claims(connection, workspace_id, taught)
            case ask.WriteCustomers(seen, kept):
                await store.see_customers(connection, workspace_id, seen)
                await store.keep_customers(connection, workspace_id, kept)
            case ask.ForgetCustomers(ids):
                await store.forget_customers(connection, workspace_id, ids)
            case ask.WriteDeletions(deletions, outdated):
                await registration_store.add_deletions(connection, workspace_id, deletions)
                await registration_store.forget_old_deletions(connection, workspace_id, outdated)
            case ask.WriteDevices(devices, before, holders, held_before, history):
                await registration_store.keep_devices(connection, workspace_id, devices, before)
                await registration_store.keep_holders(
                    connection, workspace_id, holders, held_before
                )
                await add_history(connection, workspace_id, history)
            case _:
                assert_never(asked)
