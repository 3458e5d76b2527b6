"""`clarion customers merge | unmerge | merges`: two customers who are one person."""

from typing import Any

from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    Limit,
    Name,
    not_found,
    print_record,
    print_records,
    refused,
)
from clarion.cli.session import open_session
from clarion.customers.identity.merge_store import Merge, list_merges
from clarion.customers.identity.merger import MergeFault, Merger, Refused

BY = "command line"
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
        merger = Merger(session.database, session.clock)
        made = await merger.merge(session.workspace_id, user_id, into, by=BY)
    print_record(_shown(_unless_refused(made, user_id)), as_json=json, title="Merged")


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
        merger = Merger(session.database, session.clock)
        undone = await merger.undo(session.workspace_id, user_id, by=BY)
    print_record(_shown(_unless_refused(undone, user_id)), as_json=json, title="Unmerged")


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
    return {
        "id": merge.id,
        "user_id": merge.from_user,
        "into": merge.into_user,
        "made_at": merge.made_at,
        "made_by": merge.made_by,
        "undone_at": merge.undone_at,
        "undone_by": merge.undone_by,
    }


def _unless_refused(answer: Merge | Refused, user_id: str) -> Merge:
    match answer:
        case Refused(fault=MergeFault.UNKNOWN):
            raise not_found("pair of customers with", user_id)
        case Refused(fault=MergeFault.NOT_MERGED):
            raise not_found("merge of", user_id)
        case Refused(fault=fault):
            raise refused(fault.value, word="merge")
        case made:
            return made
