"""`clarion customers merge | unmerge | merges`: two customers who are one person."""

from clarion.cli.api import open_api
from clarion.cli.api.client import path_of, read_list, with_times
from clarion.cli.output import AsJson, Ending, ExitCode, Limit, Name, print_record, print_records

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
    path = f"{path_of('customers', user_id, 'customer')}/merge"
    async with open_api() as api:
        merge = await api.call("POST", path, body={"into": into}, name=user_id)
    print_record(merge if json else with_times(merge), as_json=json, title="Merged")


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
    path = f"{path_of('customers', user_id, 'customer')}/unmerge"
    async with open_api() as api:
        merge = await api.call("POST", path, name=user_id)
    print_record(merge if json else with_times(merge), as_json=json, title="Unmerged")


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
    async with open_api() as api:
        merges = await read_list(api, "/merges", limit=limit)
    print_records(
        merges if json else [with_times(merge) for merge in merges],
        as_json=json,
        columns=("user_id", "into", "made_at", "made_by", "undone_at"),
        none="Nobody was merged.",
    )
