"""How a command is written: everything that people, scripts and Clarion itself change.

A command is one async function in the station that owns the rows:

    @command("campaign.schedule", needs=Permission.PUBLISH)
    async def schedule(
        run: Run, actor: Actor, campaign_id: UUID, at: datetime
    ) -> Campaign | Rejected:
        campaign = await get_campaign(run.connection, actor.workspace_id, campaign_id)
        if campaign is None:
            return not_found("campaign")
        scheduled = ...
        await save_campaign(run.connection, scheduled)
        run.audit(Thing("campaign", campaign_id), {"state": [campaign.state, scheduled.state]})
        run.after_commit(NewJob(kind=JobKind.LAUNCH, payload=...))
        return scheduled

A face calls it with `Services` in the place of `run`:

    campaign = await schedule(services, actor, campaign_id, at)

What the decorator does, in this order:

1. **Permission.** An actor without it gets `Rejected("forbidden", …)`; the function is not called.
2. **Transaction.** The function runs in one write transaction. Where that loses to another
   (deadlock, serialisation failure, a locked SQLite file), it is rolled back and the function runs
   again, in a new transaction and with a new `Run`. So it must have no effect outside of
   `run.connection`; what has one is given to `run.after_commit`.
3. **Result.** A returned value commits. A returned `Rejected` rolls back; so does an exception.
4. **Audit.** What committed has exactly one audit entry, in the same transaction: the function
   calls `run.audit` once before it returns a value. What was rejected has none.
5. **Jobs.** Where they are rows of the same database (`Outbox`), they are written in the same
   transaction. Else they are published after it. A job is a nudge: where the broker is away that is
   logged, and the sweep finds the rows.
6. **After the commit** callables are awaited, in the order they were given.

The function reads time and ids from `run` only. Its first parameter after `run` is the actor, whose
`workspace_id` belongs in every statement; ids that are handed in are never trusted to be of that
workspace.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, runtime_checkable
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission, role_with, scope_with
from clarion.accounts.audit import Changes, Thing, new_entry
from clarion.accounts.audit_store import add_entry
from clarion.broker import BrokerUnavailable, NewJob
from clarion.clock import Clock
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.storage.vault import Vault

P = ParamSpec("P")
R = TypeVar("R")

AfterCommit = NewJob | Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)

VERBS: dict[str, Permission] = {}
"""Every command that was imported, by its verb, with the permission that it needs."""


class Publisher(Protocol):
    """What a command needs of a broker."""

    async def publish(self, *jobs: NewJob) -> None:
        """Durable when this returns. Raises BrokerUnavailable."""


@runtime_checkable
class Outbox(Protocol):
    """A broker whose jobs are rows of the database that commands change."""

    async def add_within(self, connection: AsyncConnection, jobs: Sequence[NewJob]) -> None:
        """Adds the jobs in this transaction."""

    def committed(self, jobs: Sequence[NewJob]) -> None:
        """Tells who waits for them that they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What commands work with: one for a process, handed in by each face."""

    database: Database
    clock: Clock
    broker: Publisher
    vault: Vault


@dataclass(slots=True, kw_only=True)
class Run:
    """One try of one command: its transaction, its time, and what is to follow."""

    connection: AsyncConnection
    """In the transaction. Never kept beyond the function."""
    now: datetime
    """The same instant for all that this try writes."""
    vault: Vault
    _clock: Clock
    _audited: list[tuple[Thing, Changes]] = field(default_factory=list)
    _jobs: list[NewJob] = field(default_factory=list)
    _following: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def new_id(self) -> UUID:
        """A fresh UUIDv7."""
        return self._clock.new_id()

    def audit(self, thing: Thing, changes: Changes) -> None:
        """Say what was done: once in each run that returns a value. No secrets (`Changes`)."""
        self._audited.append((thing, changes))

    def after_commit(self, *following: AfterCommit) -> None:
        """Publish these jobs, or await these callables, once the change is durable; never where it
        is rolled back."""
        for step in following:
            if isinstance(step, NewJob):
                self._jobs.append(step)
            else:
                self._following.append(step)


class _RolledBack(Exception):
    """Carries a Rejected out of the transaction."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.code)
        self.rejected = rejected


def command(
    verb: str, *, needs: Permission, goes_first: bool = False
) -> Callable[
    [Callable[Concatenate[Run, Actor, P], Awaitable[R]]],
    Callable[Concatenate[Services, Actor, P], Coroutine[Any, Any, R | Rejected]],
]:
    """Make a command of a function; the module says what that means. `verb`: `thing.act`, as the
    audit log shows it, no other command's. `goes_first`: as `Database.write` says."""

    def decorate(
        function: Callable[Concatenate[Run, Actor, P], Awaitable[R]],
    ) -> Callable[Concatenate[Services, Actor, P], Coroutine[Any, Any, R | Rejected]]:
        if verb in VERBS:
            raise ValueError(f"two commands are called {verb}")
        VERBS[verb] = needs

        @wraps(function)
        async def call(
            services: Services, actor: Actor, /, *args: P.args, **kwargs: P.kwargs
        ) -> R | Rejected:
            if not actor.may(needs):
                return forbidden(needs)

            outbox = services.broker if isinstance(services.broker, Outbox) else None

            async def work(connection: AsyncConnection) -> tuple[R, Run]:
                run = _new_run(services, connection)
                result = await function(run, actor, *args, **kwargs)
                if isinstance(result, Rejected):
                    raise _RolledBack(result)
                await _write_audit(run, actor, verb)
                if outbox is not None and run._jobs:
                    await outbox.add_within(connection, run._jobs)
                return result, run

            try:
                result, run = await services.database.transact(
                    work, services.clock, first=goes_first
                )
            except _RolledBack as rolled_back:
                return rolled_back.rejected
            if outbox is not None:
                outbox.committed(run._jobs)
            else:
                await _publish(services, verb, run._jobs)
            for step in run._following:
                await step()
            return result

        return call

    return decorate


async def audit_by_itself(
    connection: AsyncConnection,
    clock: Clock,
    actor: Actor,
    verb: str,
    thing: Thing,
    changes: Changes,
) -> None:
    """Say what an agent did in a transaction of its own: nobody asked for it, as where a campaign's
    time has come. `actor`: the system, named for the agent; `verb`: what a person would have called
    it."""
    entry = new_entry(actor, verb, thing, changes, entry_id=clock.new_id(), at=clock.now())
    await add_entry(connection, entry)


def forbidden(needs: Permission) -> Rejected:
    """What an actor hears that lacks the permission."""
    who = f"people have it from the role {role_with(needs).value} on"
    keys = f"API keys by the scope {scope_with(needs).value}"
    return Rejected("forbidden", f"This needs the permission {needs.value}: {who}, {keys}.")


def _new_run(services: Services, connection: AsyncConnection) -> Run:
    return Run(
        connection=connection, now=services.clock.now(), vault=services.vault, _clock=services.clock
    )


async def _write_audit(run: Run, actor: Actor, verb: str) -> None:
    if len(run._audited) != 1:
        raise AssertionError(f"{verb} called run.audit {len(run._audited)} times, not once")
    thing, changes = run._audited[0]
    entry = new_entry(actor, verb, thing, changes, entry_id=run.new_id(), at=run.now)
    await add_entry(run.connection, entry)


async def _publish(services: Services, verb: str, jobs: Sequence[NewJob]) -> None:
    """All at once: a cancelled campaign may have thousands."""
    if not jobs:
        return
    try:
        await services.broker.publish(*jobs)
    except BrokerUnavailable as error:
        log.warning("command_not_nudged", verb=verb, reason=str(error), cure="the sweep")
