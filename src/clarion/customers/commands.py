"""What is done with customers. What they may ask of us themselves is further down: `privacy`."""

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, command
from clarion.customers.identity.merge_store import Merge
from clarion.customers.identity.merger import lock_merge, merge_users, unmerge_users, why_not
from clarion.faults import Rejected, not_found


@command("customer.merge", needs=Permission.ADMIN)
async def merge_customers(
    run: Run, actor: Actor, from_user: str, into_user: str
) -> Merge | Rejected:
    """From now on, and for all that was, `from_user` counts as `into_user`. The audit entry names
    the merge and neither of them: one may be erased."""
    rejected = await why_not(run.connection, actor.workspace_id, from_user, into_user)
    if rejected is not None:
        return rejected
    merge = Merge(
        id=run.new_id(),
        from_user=from_user,
        into_user=into_user,
        made_at=run.now,
        made_by=actor.by,
        undone_at=None,
        undone_by=None,
    )
    run.audit(Thing("merge", merge.id), {})
    return await merge_users(run.connection, actor.workspace_id, merge)


@command("customer.unmerge", needs=Permission.ADMIN)
async def unmerge_customer(run: Run, actor: Actor, from_user: str) -> Merge | Rejected:
    """`from_user` is somebody by itself again, as if it had never been merged."""
    merge = await lock_merge(run.connection, actor.workspace_id, from_user)
    if merge is None:
        return not_found("merge")
    run.audit(Thing("merge", merge.id), {})
    return await unmerge_users(run.connection, actor.workspace_id, merge, run.now, actor.by)
