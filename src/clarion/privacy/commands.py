"""What people may ask of us: to be left alone, to be forgotten, and to be told what we know.

An audit entry says what was done and by whom, and of the person only what the suppression list
keeps as well: a hash of their id with the workspace's salt. Who knows the id finds the entry, and
nobody learns the id from it.

What waits in the broker is dropped when it comes to be taken in; what was kept aside there is
rewritten.
"""

from uuid import UUID

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, Services, command, forbidden
from clarion.customers import suppression_store
from clarion.customers.identity.person import Person
from clarion.customers.identity.person_store import find_person, ids_in_events, named_person
from clarion.customers.profile.store import Customer, find_customer
from clarion.customers.suppression import SuppressionKind
from clarion.faults import Rejected, not_found
from clarion.privacy.eraser import Eraser, shut
from clarion.privacy.erasure_request_store import Erasure, add_erasure, claim_erasure, unfinished
from clarion.storage.database import Database

ROUNDS_MAX = 8


async def suppress(services: Services, actor: Actor, name: str) -> Rejected | None:
    """Collect nothing more of the customer `name` and send nothing; what is known is kept. Doing it
    twice is doing it once."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    person = await _look(services.database, actor.workspace_id, name)
    return not_found("customer") if person is None else await _suppress(services, actor, person)


@command("customer.suppress", needs=Permission.ADMIN)
async def _suppress(run: Run, actor: Actor, person: Person) -> None:
    person = await find_person(run.connection, actor.workspace_id, person, locks=True)
    await suppression_store.shut_out(
        run.connection, actor.workspace_id, person, SuppressionKind.SUPPRESSED, run.now
    )
    await _audit(run, actor, person.subject)


async def unsuppress(services: Services, actor: Actor, name: str) -> bool | Rejected:
    """Collect of and send to `name` again, who may have been erased; False: it was not
    forbidden."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    person = await _look(services.database, actor.workspace_id, name)
    return await _unsuppress(services, actor, name, person)


@command("customer.unsuppress", needs=Permission.ADMIN)
async def _unsuppress(run: Run, actor: Actor, name: str, person: Person | None) -> bool | Rejected:
    subject = name if person is None else person.subject
    count = await suppression_store.unlist(run.connection, actor.workspace_id, subject)
    if person is not None:
        await suppression_store.mark_suppressed(run.connection, person.customer_ids, None)
    elif not count:
        return not_found("customer")
    await _audit(run, actor, subject)
    return count > 0


async def erase(services: Services, actor: Actor, name: str, eraser: Eraser) -> Erasure | Rejected:
    """Remove everything that is known of `name`, and drop whatever of theirs comes later. What was
    cut off is finished by whoever asks again, or by an eraser that runs."""
    erasure = await begin_erasure(services, actor, name)
    return erasure if isinstance(erasure, Rejected) else await eraser.finish(erasure)


@command("customer.erase", needs=Permission.ADMIN)
async def begin_erasure(run: Run, actor: Actor, name: str) -> Erasure | Rejected:
    """Let nothing more of `name` in or out. Once this is committed it is going to be finished,
    whatever happens. An erasure of theirs that is under way is claimed: whoever works on it changes
    nothing any more."""
    connection, workspace_id = run.connection, actor.workspace_id
    pending = await unfinished(connection, workspace_id=workspace_id)
    erasure = next((request for request in pending if request.is_of(name)), None)
    if erasure is not None:
        erasure = await claim_erasure(connection, erasure, run.now)
    customer = await find_customer(connection, workspace_id, name)
    if erasure is None and customer is not None:
        erasure = Erasure(
            id=run.new_id(),
            workspace_id=workspace_id,
            person=await named_person(connection, workspace_id, customer),
            made_by=actor.by,
            begun_at=run.now,
            touched_at=run.now,
            attempt=1,
        )
        await add_erasure(connection, erasure)
    if erasure is None:
        return not_found("customer")
    if customer is not None:
        erasure = await shut(connection, erasure, run.now)
    await _audit(run, actor, erasure.person.subject)
    return erasure


@command("customer.export", needs=Permission.ADMIN)
async def begin_export(run: Run, actor: Actor, name: str) -> Customer | Rejected:
    """Begins the export of a customer's data (`data_export.py`)."""
    customer = await find_customer(run.connection, actor.workspace_id, name)
    if customer is None:
        return not_found("customer")
    person = await named_person(run.connection, actor.workspace_id, customer)
    await _audit(run, actor, person.subject)
    return customer


async def _audit(run: Run, actor: Actor, subject: str) -> None:
    hashed = await suppression_store.subject_hash(run.connection, actor.workspace_id, subject)
    run.audit(Thing("customer", hashed), {})


async def _look(database: Database, workspace_id: UUID, name: str) -> Person | None:
    """Who `name` is, with the ids that stand in their events only: they are read while nobody
    waits."""
    async with database.read() as connection:
        customer = await find_customer(connection, workspace_id, name)
        if customer is None:
            return None
        person = await named_person(connection, workspace_id, customer)
        person = await find_person(connection, workspace_id, person)
    looked_at: frozenset[UUID] = frozenset()
    for _ in range(ROUNDS_MAX):
        fresh = person.customer_ids - looked_at
        if not fresh:
            break
        looked_at |= fresh
        near = await ids_in_events(database, workspace_id, fresh)
        async with database.read() as connection:
            person = await find_person(connection, workspace_id, person, near)
    return person
