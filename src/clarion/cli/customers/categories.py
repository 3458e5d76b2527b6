"""`clarion customers categories | leave | rejoin`: which kinds of campaigns a customer wants."""

from clarion.cli.api import ask, ask_list
from clarion.cli.api.client import path_of
from clarion.cli.output import AsJson, Name, print_record, print_records


async def categories(user_id: Name, *, json: AsJson = False) -> None:
    """List the categories of campaigns that a customer has left or rejoined.

    They get campaigns of all others.

    For example:

    ```
    clarion customers categories user-4711
    ```
    """
    path = f"{path_of('customers', user_id, 'customer')}/categories"
    listed = await ask_list(path, name=user_id)
    print_records(
        listed,
        as_json=json,
        columns=("category", "subscribed"),
        none="Nobody has said anything: they get campaigns of every category.",
    )


async def leave(user_id: Name, category: str, *, json: AsJson = False) -> None:
    """Send a customer no campaigns of a category any more, from now on.

    For example:

    ```
    clarion customers leave user-4711 news
    ```

    Parameters
    ----------
    user_id
        Who.
    category
        As campaigns name it, such as news.
    """
    await _choose(user_id, category, is_subscribed=False, as_json=json)


async def rejoin(user_id: Name, category: str, *, json: AsJson = False) -> None:
    """Send a customer campaigns of a category again.

    For example:

    ```
    clarion customers rejoin user-4711 news
    ```

    Parameters
    ----------
    user_id
        Who.
    category
        As campaigns name it, such as news.
    """
    await _choose(user_id, category, is_subscribed=True, as_json=json)


async def _choose(user_id: str, category: str, *, is_subscribed: bool, as_json: bool) -> None:
    place = path_of("categories", category, "category")
    path = path_of("customers", user_id, "customer") + place
    chosen = await ask("PUT", path, body={"subscribed": is_subscribed}, name=user_id)
    print_record(chosen, as_json=as_json)
