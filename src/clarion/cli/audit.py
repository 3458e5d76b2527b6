"""The audit log: who did what to which thing, and when."""

from typing import Any
from uuid import UUID

from clarion.accounts.actor import ActorKind
from clarion.accounts.audit import AuditEntry
from clarion.accounts.audit_store import AuditFilter
from clarion.accounts.queries import list_audit
from clarion.cli.output import AsJson, Limit, print_records, read_id
from clarion.cli.session import accepted, open_session


async def audit(
    *,
    actor: str | None = None,
    verb: str | None = None,
    thing_kind: str | None = None,
    thing: str | None = None,
    limit: Limit = 100,
    before: str | None = None,
    json: AsJson = False,
) -> None:
    """Show who did what to which thing, the newest first.

    Entries are written in one transaction with what they tell of, and never changed.

    For example:

    ```
    clarion audit
    clarion audit --verb api_key.revoke --json
    clarion audit --actor operator --limit 20
    ```

    Parameters
    ----------
    actor
        What this API key or person did, by its id; or what everybody of a kind did: person,
        api_key, operator, system.
    verb
        What was done, such as workspace.change.
    thing_kind
        To things of this kind, such as api_key.
    thing
        To the thing with this id.
    limit
        How many at most.
    before
        Those older than the entry with this id: the last of the page before.
    """
    kind = ActorKind(actor) if actor in list(ActorKind) else None
    wanted = AuditFilter(
        actor_id=read_id(actor, "actor") if actor is not None and kind is None else None,
        actor_kind=kind,
        verb=verb,
        thing_kind=thing_kind,
        thing_id=thing,
    )
    older_than: UUID | None = None if before is None else read_id(before, "audit entry")
    async with open_session() as session, session.database.read() as connection:
        entries = accepted(
            await list_audit(connection, session.actor, wanted, limit=limit, before=older_than)
        )
    print_records(
        [_shown(entry, as_json=json) for entry in entries],
        as_json=json,
        columns=("at", "actor", "verb", "thing", "changes"),
        none="There is no such entry.",
    )


def _shown(entry: AuditEntry, *, as_json: bool) -> dict[str, Any]:
    actor = {"kind": entry.actor_kind.value, "id": entry.actor_id, "name": entry.actor_name}
    thing = {"kind": entry.thing_kind, "id": entry.thing_id}
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": actor if as_json else entry.actor_name,
        "verb": entry.verb,
        "thing": thing if as_json else f"{entry.thing_kind} {entry.thing_id}",
        "request_id": entry.request_id,
        "changes": entry.changes,
    }
