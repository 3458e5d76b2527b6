"""What the decorator of commands promises, on both databases."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection, event, select, text, update

from clarion.accounts.actor import Actor, Permission, Role, operator, permissions_of_role
from clarion.accounts.audit import AuditEntry, Thing, difference
from clarion.accounts.audit_store import AuditFilter, list_entries
from clarion.accounts.command import VERBS, Run, Services, command, forbidden
from clarion.accounts.workspace_store import create_workspace
from clarion.broker import BrokerUnavailable, JobKind, NewJob
from clarion.brokers.database import DatabaseBroker, DatabaseBrokerOptions
from clarion.faults import Fault, Rejected, invalid
from clarion.storage.database import CONFLICT_TRIES, Database, StorageUnavailable
from clarion.storage.schema import workspaces
from clarion.storage.vault import Vault
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import make_tables, sqlite_database
from support.patience import NEVER, patience
from support.postgres import PostgresServer

OTHER = UUID(int=77)
JOB = NewJob(kind=JobKind.LAUNCH, payload=b"launch")


@dataclass
class Jobs:
    """A broker that keeps what it is given, and may be away."""

    published: list[NewJob] = field(default_factory=list)
    is_away: bool = False

    async def publish(self, *jobs: NewJob) -> None:
        if self.is_away:
            raise BrokerUnavailable("no answer")
        self.published += jobs


@command("test.rename", needs=Permission.PUBLISH)
async def rename(run: Run, actor: Actor, name: str, *, job: NewJob = JOB) -> str | Rejected:
    """A real change of a real row, and a job."""
    table = workspaces.c
    row = (
        await run.connection.execute(select(table.name).where(table.id == actor.workspace_id))
    ).one()
    await run.connection.execute(
        update(workspaces).where(table.id == actor.workspace_id).values(name=name)
    )
    run.after_commit(job)
    if not name:
        return invalid(Fault("name", "must not be empty"))
    run.audit(
        Thing("workspace", actor.workspace_id), difference({"name": row.name}, {"name": name})
    )
    return name


@command("test.forget_audit", needs=Permission.READ)
async def forget_audit(run: Run, actor: Actor) -> None:
    await run.connection.execute(update(workspaces).values(name="changed"))


@command("test.audit_twice", needs=Permission.READ)
async def audit_twice(run: Run, actor: Actor) -> None:
    await run.connection.execute(update(workspaces).values(name="changed"))
    run.audit(Thing("workspace", WORKSPACE), {})
    run.audit(Thing("workspace", WORKSPACE), {})


@pytest.fixture
async def services(database: Database, clock: FakeClock) -> Services:
    return await _services(database, clock)


async def _services(database: Database, clock: FakeClock) -> Services:
    async with database.write() as connection:
        for workspace_id in (WORKSPACE, OTHER):
            await create_workspace(
                connection, workspace_id=workspace_id, name="before", now=clock.now()
            )
    return Services(
        database=database, clock=clock, broker=Jobs(), vault=Vault(Fernet.generate_key())
    )


def published(services: Services) -> list[NewJob]:
    assert isinstance(services.broker, Jobs)
    return services.broker.published


def committed_statements(database: Database) -> list[list[str]]:
    """What each transaction that commits from now on says; others may commit meanwhile."""
    statements: dict[Connection, list[str]] = defaultdict(list)
    committed: list[list[str]] = []

    def note(connection: Connection, _: object, sql: str, *_rest: object) -> None:
        statements[connection].append(sql)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "rollback", lambda connection: statements.pop(connection, None))
    event.listen(
        engine, "commit", lambda connection: committed.append(statements.pop(connection, []))
    )
    return committed


async def name_of(services: Services, workspace_id: UUID = WORKSPACE) -> str:
    async with services.database.read() as connection:
        names = select(workspaces.c.name).where(workspaces.c.id == workspace_id)
        return str((await connection.execute(names)).scalar_one())


async def entries(services: Services, workspace_id: UUID = WORKSPACE) -> list[AuditEntry]:
    async with services.database.read() as connection:
        return await list_entries(connection, workspace_id, AuditFilter(), limit=10)


async def test_a_job_that_is_a_row_is_committed_with_the_change_and_wakes_who_waits(
    database: Database, clock: FakeClock
) -> None:
    jobs = DatabaseBroker(database, clock, DatabaseBrokerOptions(poll_seconds=NEVER))
    services = replace(await _services(database, clock), broker=jobs)
    waits = asyncio.create_task(
        jobs.fetch(JOB.kind, limit=1, wait_seconds=NEVER, lease_seconds=NEVER)
    )
    refused = await rename(services, operator(WORKSPACE), "")
    assert isinstance(refused, Rejected)
    assert await jobs.depth(JOB.kind) == 0
    committed = committed_statements(database)
    assert await rename(services, operator(WORKSPACE), "after") == "after"
    [change] = [
        statements
        for statements in committed
        if any("INSERT INTO jobs" in sql for sql in statements)
    ]
    assert any('INSERT INTO "audit"' in sql for sql in change)
    assert any("UPDATE workspaces" in sql for sql in change)
    async with patience():
        [lease] = await waits
    assert lease.payload == JOB.payload
    await jobs.close()


async def test_a_change_its_audit_entry_and_its_job_belong_together(services: Services) -> None:
    actor = replace(operator(WORKSPACE), request_id="call-1")
    assert await rename(services, actor, "after") == "after"
    assert await name_of(services) == "after"
    assert published(services) == [JOB]
    (entry,) = await entries(services)
    assert entry == AuditEntry(
        id=entry.id,
        workspace_id=WORKSPACE,
        at=services.clock.now(),
        actor_kind=actor.kind,
        actor_id=None,
        actor_name="command line",
        verb="test.rename",
        thing_kind="workspace",
        thing_id=str(WORKSPACE),
        request_id="call-1",
        changes={"name": ["before", "after"]},
    )
    assert await entries(services, OTHER) == []


async def test_without_the_permission_nothing_happens(services: Services) -> None:
    author = replace(operator(WORKSPACE), permissions=permissions_of_role(Role.AUTHOR))
    rejected = await rename(services, author, "after")
    assert rejected == forbidden(Permission.PUBLISH)
    assert await name_of(services) == "before"
    assert await entries(services) == []
    assert published(services) == []


async def test_what_is_rejected_leaves_neither_rows_nor_entry_nor_job(services: Services) -> None:
    rejected = await rename(services, operator(WORKSPACE), "")
    assert isinstance(rejected, Rejected)
    assert rejected.faults == (Fault("name", "must not be empty"),)
    assert await name_of(services) == "before"
    assert await entries(services) == []
    assert published(services) == []


@pytest.mark.parametrize("broken", [forget_audit, audit_twice])
async def test_a_change_without_exactly_one_entry_is_not_made(
    services: Services, broken: object
) -> None:
    assert callable(broken)
    with pytest.raises(AssertionError, match=r"called run\.audit"):
        await broken(services, operator(WORKSPACE))
    assert await name_of(services) == "before"
    assert await entries(services) == []


async def test_what_follows_sees_the_committed_rows(services: Services) -> None:
    seen = []

    @command("test.look_after", needs=Permission.READ)
    async def look_after(run: Run, actor: Actor, *, fails: bool) -> None:
        async def look() -> None:
            seen.append(await name_of(services))

        await run.connection.execute(update(workspaces).values(name="committed"))
        run.after_commit(look)
        run.audit(Thing("workspace", WORKSPACE), {})
        if fails:
            raise RuntimeError

    try:
        with pytest.raises(RuntimeError):
            await look_after(services, operator(WORKSPACE), fails=True)
        assert seen == []
        await look_after(services, operator(WORKSPACE), fails=False)
        assert seen == ["committed"]
    finally:
        del VERBS["test.look_after"]


async def test_a_change_holds_where_its_job_can_not_be_published(
    database: Database, clock: FakeClock
) -> None:
    services = replace(await _services(database, clock), broker=Jobs(is_away=True))
    assert await rename(services, operator(WORKSPACE), "after") == "after"
    assert await name_of(services) == "after"


def test_two_commands_never_have_one_verb() -> None:
    with pytest.raises(ValueError, match=r"test\.rename"):
        command("test.rename", needs=Permission.READ)(rename.__wrapped__)  # type: ignore[attr-defined]


async def test_a_command_that_loses_a_deadlock_is_run_again(
    postgres: PostgresServer, clock: FakeClock
) -> None:
    """Each locks the row that the other wants next. PostgreSQL ends one of them."""
    tries: list[UUID] = []
    both_hold = asyncio.Barrier(2)

    @command("test.cross", needs=Permission.READ)
    async def cross(run: Run, actor: Actor, other: UUID) -> None:
        tries.append(actor.workspace_id)
        for workspace_id in (actor.workspace_id, other):
            await run.connection.execute(
                update(workspaces)
                .where(workspaces.c.id == workspace_id)
                .values(name=workspaces.c.name + "+")
            )
            if len(tries) <= 2 and workspace_id == actor.workspace_id:
                await both_hold.wait()
        run.audit(Thing("workspace", actor.workspace_id), {})

    async with postgres.new_database(None) as url:
        database = Database(url)
        await make_tables(database)
        services = await _services(database, clock)
        try:
            async with patience(), asyncio.TaskGroup() as group:
                group.create_task(cross(services, operator(WORKSPACE), OTHER))
                group.create_task(cross(services, operator(OTHER), WORKSPACE))
                await clock.someone_sleeps()
                clock.advance(1)
            assert len(tries) == 3
            assert [await name_of(services, one) for one in (WORKSPACE, OTHER)] == ["before++"] * 2
            assert [len(await entries(services, one)) for one in (WORKSPACE, OTHER)] == [1, 1]
        finally:
            del VERBS["test.cross"]
            await database.close()


async def test_a_command_waits_for_a_locked_file(tmp_path: Path, clock: FakeClock) -> None:
    """Another process writes in the same SQLite file."""
    database = await sqlite_database(tmp_path)
    services = await _services(database, clock)
    await _wait_for_no_lock(database)
    elsewhere = Database(f"sqlite:///{tmp_path}/clarion.db")
    async with patience():
        async with elsewhere.write():
            renaming = asyncio.create_task(rename(services, operator(WORKSPACE), "after"))
            await clock.someone_sleeps()
            assert not renaming.done()
        clock.advance(1)
        assert await renaming == "after"
    assert len(await entries(services)) == 1
    await elsewhere.close()
    await database.close()


async def test_a_command_that_always_loses_ends_as_an_outage(
    tmp_path: Path, clock: FakeClock
) -> None:
    database = await sqlite_database(tmp_path)
    services = await _services(database, clock)
    await _wait_for_no_lock(database)
    elsewhere = Database(f"sqlite:///{tmp_path}/clarion.db")
    async with patience(), elsewhere.write():
        renaming = asyncio.create_task(rename(services, operator(WORKSPACE), "after"))
        for _ in range(CONFLICT_TRIES - 1):
            await clock.someone_sleeps()
            clock.advance(1)
        with pytest.raises(StorageUnavailable):
            await renaming
    assert await name_of(services) == "before"
    await elsewhere.close()
    await database.close()


async def _wait_for_no_lock(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("PRAGMA busy_timeout = 0"))
