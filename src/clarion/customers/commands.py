"""What is done with customers. What they may ask of us themselves is further down: `privacy`."""

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, command
from clarion.customers.identity.merges.merger import lock_merge, merge_users, unmerge_users, why_not
from clarion.customers.identity.merges.store import Merge
from clarion.customers.profile import category_store
from clarion.customers.profile.category import CategoryChoice, read_category
from clarion.customers.profile.store import find_customer
from clarion.customers.suppression_store import subject_hash
from clarion.faults import Fault, Rejected, invalid, not_found


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


@command("category.choose", needs=Permission.WRITE)
async def choose_category(
    run: Run, actor: Actor, name: str, category: str, *, is_subscribed: bool
) -> CategoryChoice | Rejected:
    """From now on a customer who signs in gets campaigns of a category, or none. It holds until
    they are told to want something else, here or by their traits. The audit entry names the
    customer by a hash, as they may be erased."""
    checked = read_category(category)
    if isinstance(checked, Fault):
        return invalid(checked)
    customer = await find_customer(run.connection, actor.workspace_id, name)
    if customer is None:
        return not_found("customer")
    if customer.user_id is None:
        return Rejected(
            "conflict",
            "The customer has not signed in: what they want is told by the trait "
            "marketingPreferences.",
        )
    choice = CategoryChoice(category=checked, is_subscribed=is_subscribed, at=run.now)
    await category_store.choose_category(
        run.connection, actor.workspace_id, customer.user_id, choice
    )
    hashed = await subject_hash(run.connection, actor.workspace_id, customer.user_id)
    run.audit(Thing("customer", hashed), {"category": checked, "subscribed": is_subscribed})
    return choice
