"""What a batch of events changes in what is known of customers. Pure."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple
from uuid import UUID

from clarion.customers.identity.batch import Batch
from clarion.customers.identity.identifier import Owner
from clarion.customers.ingest_plan.requests import (
    LastSeen,
    LockCustomers,
    Plan,
    SeenBetween,
    TraitClaimsOf,
    WriteCustomers,
)
from clarion.customers.profile.customer import (
    NEVER,
    ActiveCustomer,
    CustomerRecord,
    made_anew,
    new_customer,
    seen,
)
from clarion.events.messages.message import Event


class Changed(NamedTuple):
    """`left_out`: messageIds of identifies for which a profile had no room. `emptied`: customers
    of whom no event is left."""

    left_out: AbstractSet[str]
    emptied: AbstractSet[UUID]


def keep_customers(
    gained: Mapping[Owner, Sequence[tuple[Event, bool]]],
    taught: AbstractSet[Owner],
    batch: Batch,
    customer_id_of: Callable[[Owner], UUID],
) -> Plan[Changed]:
    """Customers gain events and inherit from those they absorbed; the touched are made anew.
    `taught`: those of whom an identify says something.

    Only those who are taught something, or inherit, are read; of the others it is noted when
    they were seen.
    """
    owners = {
        owner: customer_id_of(owner)
        for owner in {*gained, *batch.touched, *batch.absorbed, *batch.absorbed.values()}
    }
    heirs = set(batch.absorbed.values())
    students = taught | (heirs & gained.keys())
    known = yield from LockCustomers(
        {owners[owner] for owner in {*students, *heirs, *batch.absorbed}}
    )
    met: list[ActiveCustomer] = []
    after: dict[Owner, CustomerRecord] = {}
    for owner, events in gained.items():
        if owner in batch.touched:
            continue
        customer_id = owners[owner]
        if owner in students:
            before = known.get(customer_id) or new_customer(customer_id, owner, events[0][0].at)
            after[owner] = before.apply_identify(events)
        else:
            met.append(seen(customer_id, owner, events))
    for old, owner in batch.absorbed.items():
        inherited = known.get(owners[old])
        if owner not in batch.touched and inherited is not None:
            heir = after.get(owner) or known.get(owners[owner])
            heir = heir or new_customer(owners[owner], owner, inherited.first_seen_at)
            after[owner] = heir.absorb(inherited)
    kept = list(after.values())
    left_out = {message_id for customer in kept for message_id in customer.profile.left_out}
    if batch.touched:
        kept += yield from customers_anew({owners[owner]: owner for owner in batch.touched})
    yield from WriteCustomers(met, kept)
    gone = {owners[owner] for owner in {*batch.touched, *batch.absorbed}}
    return Changed(left_out, gone - {customer.id for customer in kept})


def customers_anew(owners: Mapping[UUID, Owner]) -> Plan[list[CustomerRecord]]:
    """What is known of these by their events and claims; whoever has neither is left out."""
    spans = yield from SeenBetween(owners.keys())
    claims = yield from TraitClaimsOf(owners.keys())
    kept = []
    for customer_id in sorted(spans.keys() | claims.keys()):
        theirs = claims.get(customer_id, [])
        first, last = spans.get(customer_id, (theirs[0].at if theirs else NEVER, None))
        unseen = {claim.taught.lesson.message_id for claim in theirs if not claim.is_active}
        if unseen and last is not None:
            last = yield from LastSeen(customer_id, unseen)
        nobody_yet = new_customer(customer_id, owners[customer_id], first)
        kept.append(made_anew(nobody_yet, theirs, last))
    return kept
