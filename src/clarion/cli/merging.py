"""`clarion customers merge | unmerge | merges`: two customers who are one person."""

from dataclasses import asdict
from typing import Any

from clarion.cli.output import AsJson, Ending, ExitCode, Limit, Name, print_record, print_records
from clarion.cli.session import accepted, open_session
from clarion.customers.commands import merge_customers, unmerge_customer
from clarion.customers.identity.merge_store import Merge, list_merges

PAGE = 100


async def merge(user_id: Name, into: Name, *, yes: bool = False, json: AsJson = False) -> None:
    """Merge a customer into another: from now on, and for all that was, the two are one.

    `clarion customers unmerge` takes it back as if it had never been.

    For example:

    ```
    clarion customers merge user-4711 user-12 --yes
    ```

    Parameters
    ----------
    user_id
        Who is merged.
    into
        Whom they count as.
    yes
        Do it: without this, nothing is done.
    """
    if not yes:
        what = f"This would merge {user_id} into {into}. Say --yes to do it."
        raise Ending(ExitCode.USAGE, what, word="confirmation")
    async with open_session() as session:
        made = await merge_customers(session.services, session.actor, user_id, into)
    print_record(_shown(accepted(made, name=user_id)), as_json=json, title="Merged")


async def unmerge(user_id: Name, *, json: AsJson = False) -> None:
    """Undo a customer's merge: they are a customer of their own again.

    For example:

    ```
    clarion customers unmerge user-4711
    ```

    Parameters
    ----------
    user_id
        Who was merged.
    """
    async with open_session() as session:
        undone = await unmerge_customer(session.services, session.actor, user_id)
    print_record(_shown(accepted(undone, name=user_id)), as_json=json, title="Unmerged")


async def merges(*, limit: Limit = PAGE, json: AsJson = False) -> None:
    """List merges, the oldest first, those that were undone too.

    For example:

    ```
    clarion customers merges
    ```

    Parameters
    ----------
    limit
        How many.
    """
    async with open_session() as session, session.database.read() as connection:
        found = await list_merges(connection, session.workspace_id, after=None, limit=limit)
    print_records(
        [_shown(one) for one in found],
        as_json=json,
        columns=("user_id", "into", "made_at", "made_by", "undone_at"),
        none="Nobody was merged.",
    )


def _shown(merge: Merge) -> dict[str, Any]:
    record = asdict(merge)
    names = {"user_id": record.pop("from_user"), "into": record.pop("into_user")}
    return {"id": record.pop("id"), **names, **record}
