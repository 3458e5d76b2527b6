"""The audit log: who did what to which thing, and when."""

from typing import Any

from clarion.cli.api import ask_list
from clarion.cli.output import AsJson, Limit, print_records, read_id, with_times

ACTOR_KINDS = ("person", "api_key", "operator", "system")


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
    kind = actor if actor in ACTOR_KINDS else None
    query = {
        "actor_id": read_id(actor, "actor") if actor is not None and kind is None else None,
        "actor_kind": kind,
        "verb": verb,
        "thing_kind": thing_kind,
        "thing_id": thing,
        "before": None if before is None else read_id(before, "audit entry"),
    }
    entries = await ask_list("/audit", query=query, limit=limit)
    print_records(
        entries if json else [_row(entry) for entry in entries],
        as_json=json,
        columns=("at", "actor", "verb", "thing", "changes"),
        none="There is no such entry.",
    )


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    actor, thing = entry["actor"], entry["thing"]
    return {**with_times(entry), "actor": actor["name"], "thing": f"{thing['kind']} {thing['id']}"}
