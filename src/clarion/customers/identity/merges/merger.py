"""Two user ids that an administrator says are one person; and the same taken back.

Nothing that apps sent is changed by it. Timelines, claims and events go on naming the raw ids; only
where an owner becomes a customer's id does the merged one count as the other (`Batch.canonical`).
So the answer stays a function of the set of events and the set of merges, in whatever order they
come, and undoing a merge gives the state without it: whose a key is, is told anew.

A merged id is merged once and into one that is not merged itself: no chains, no circles.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity import store as identity_store
from clarion.customers.identity.batch import Batch
from clarion.customers.identity.identifier import User, customer_id_of
from clarion.customers.identity.known import Identifier, decides
from clarion.customers.identity.merges import store as merge_store
from clarion.customers.identity.merges.store import Merge
from clarion.customers.identity.ownership import owned_by_timeline
from clarion.customers.ingestion import Ingestion
from clarion.customers.profile.store import get_customer
from clarion.events.store import look_before
from clarion.faults import Rejected, not_found

MERGES_MAX = 1_000
"""Active in one workspace: every transaction that takes in events reads them all."""

SAME = Rejected("merge", "They are the same customer.")
UNKNOWN = not_found("customer who has signed in")
MERGED = Rejected("merge", "One of them is part of a merge already: undo that one first.")
SUPPRESSED = Rejected(
    "merge", "One of them is suppressed: what is collected of the other would be collected."
)
TOO_MANY = Rejected("merge", f"There are {MERGES_MAX} merges already.")


async def merge_users(connection: AsyncConnection, workspace_id: UUID, merge: Merge) -> Merge:
    """Write the merge and file everything of `from_user` under `into_user`. Asks nothing."""
    await merge_store.add_merge(connection, workspace_id, merge)
    await _file_anew(connection, workspace_id, merge, counts_as=merge.into_user, now=merge.made_at)
    return merge


async def unmerge_users(
    connection: AsyncConnection, workspace_id: UUID, merge: Merge, now: datetime, by: str
) -> Merge:
    """Write the merge's end and file everything of `from_user` under its own customer."""
    await merge_store.end_merge(connection, merge.id, now, by)
    await _file_anew(connection, workspace_id, merge, counts_as=merge.from_user, now=now)
    return replace(merge, undone_at=now, undone_by=by)


async def _file_anew(
    connection: AsyncConnection, workspace_id: UUID, merge: Merge, *, counts_as: str, now: datetime
) -> None:
    """What is `from_user`'s by the ids that apps sent: its own id, the periods of keys that their
    timelines give it, and its devices."""
    user = User(merge.from_user)
    both = [User(merge.from_user), User(merge.into_user)]
    customer_id = customer_id_of(workspace_id, User(counts_as))
    known = await _locked(connection, workspace_id, merge.from_user, merge.into_user)
    before = await look_before(connection, workspace_id, [])
    now_merged = Batch([], before.merges)
    owned = {
        (key, is_user): owned_by_timeline(
            key, identifier, is_user=is_user, canonical=now_merged.canonical
        )
        for key, identifier in known.items()
        for is_user in (True, False)
        if decides(identifier, is_user=is_user)
    }
    await identity_store.write_owned(connection, workspace_id, owned, outdated=(), led=())
    await merge_store.hand_over(
        connection,
        workspace_id,
        [key for key, identifier in known.items() if identifier.timeline.device_owner(key) == user],
        customer_id=customer_id,
        reason="merged" if counts_as == merge.into_user else "unmerged",
        now=now,
    )
    await Ingestion(connection, workspace_id, now).make_anew(both)


async def lock_merge(
    connection: AsyncConnection, workspace_id: UUID, from_user: str
) -> Merge | None:
    """The merge of `from_user` that is not undone; nobody else ends it, or takes in events of
    either, until this transaction ends."""
    merge = await _active_merge(connection, workspace_id, from_user)
    if merge is None:
        return None
    await _locked(connection, workspace_id, from_user, merge.into_user)
    # It may have been undone, and another been made, while the locks were waited for.
    again = await _active_merge(connection, workspace_id, from_user)
    return again if again is not None and again.id == merge.id else None


async def _active_merge(
    connection: AsyncConnection, workspace_id: UUID, from_user: str
) -> Merge | None:
    merges = await merge_store.active_merges_of(connection, workspace_id, [from_user])
    return next((merge for merge in merges if merge.from_user == from_user), None)


async def _locked(
    connection: AsyncConnection, workspace_id: UUID, from_user: str, into_user: str
) -> dict[str, Identifier]:
    """Both ids and the keys that `from_user` claims, ours until the transaction ends: events that
    carry any of them are taken in before or after, not meanwhile."""
    users = {from_user, into_user}
    await identity_store.lock_identifiers(connection, workspace_id, users)
    keys = await identity_store.keys_claimed_by(connection, workspace_id, [from_user])
    return await identity_store.lock_identifiers(connection, workspace_id, keys | users)


async def why_not(
    connection: AsyncConnection, workspace_id: UUID, from_user: str, into_user: str
) -> Rejected | None:
    """Why these can not be merged, if they can not. Locks both, as `lock_merge` does."""
    known = await _locked(connection, workspace_id, from_user, into_user)
    if from_user == into_user:
        return SAME
    if await merge_store.active_merges_of(connection, workspace_id, [from_user]):
        return MERGED
    of_other = await merge_store.active_merges_of(connection, workspace_id, [into_user])
    if any(merge.from_user == into_user for merge in of_other):
        return MERGED
    for user_id in (from_user, into_user):
        customer = await get_customer(connection, workspace_id, user_id)
        is_real = user_id in known and known[user_id].flags.is_real
        if customer is None or not is_real:
            return UNKNOWN
        if customer.suppressed_at is not None:
            return SUPPRESSED
    if await merge_store.count_active(connection, workspace_id) >= MERGES_MAX:
        return TOO_MANY
    return None
