"""`clarion sources show | rotate | retire | restore | sign | unsign`: keys of both kinds."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.cli.api import open_api
from clarion.cli.api.client import Api, read_list
from clarion.cli.output import (
    AsJson,
    Ending,
    Name,
    console,
    not_found,
    print_done,
    print_json,
    print_record,
    print_records,
    with_times,
)
from clarion.cli.sources.choice import Record, find_source

DAYS_MAX = 3_650
RETIRED, ENDS = "retired", "ends"
"""States of a key."""

Days = Annotated[
    int | None, Parameter(name="--for", negative="", validator=Number(gte=0, lte=DAYS_MAX))
]
EndsIn = Annotated[int, Parameter(name="--for", negative="", validator=Number(gte=0, lte=DAYS_MAX))]
AskIn = Annotated[int | None, Parameter(negative="", validator=Number(gte=0, lte=DAYS_MAX))]
AskDays = Annotated[int, Parameter(name="--in", negative="", validator=Number(gte=0, lte=DAYS_MAX))]


async def show(source: Name, *, json: AsJson = False) -> None:
    """Show a source: what it may, its write keys and when each was last used.

    For example:

    ```
    clarion sources show "Android app"
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    """
    async with open_api() as api:
        shown = await find_source(api, source)
        keys = await _keys_of(api, shown)
    if json:
        print_json(shown | {"keys": keys})
        return
    print_record(shown, as_json=False)
    console.print()
    print_records(
        keys,
        as_json=False,
        columns=("id", "kind", "write_key", "state", "last_used_at", "retires_at"),
        none="",
    )


async def rotate(source: Name, *, days: Days = None, json: AsJson = False) -> None:
    """Make another write key. Those before it stay valid, so that apps can update.

    `clarion sources show` tells when each was last used; retire the former once nobody uses it.

    For example:

    ```
    clarion sources rotate "Android app"
    clarion sources rotate "Android app" --for 90
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    days
        So many days the former ones stay valid. Without it: until somebody retires them.
    """
    async with open_api() as api:
        path = f"/sources/{(await find_source(api, source))['id']}/write-keys"
        made = await api.call("POST", path, body={"retire_former_after_days": days})
    print_record(made, as_json=json)


async def retire(source: Name, key: Name, *, days: EndsIn = 0, json: AsJson = False) -> None:
    """Refuse one key of a source: now, or in some days. `clarion sources restore` takes it back.

    For example:

    ```
    clarion sources retire "Android app" Vb0y4N1v0w8nGJ3oGm2k9mJw0Qd1rT5x
    clarion sources retire "Android app" 01981f60-31d5-7c02-8a7e-5e3c1b2a9d10 --for 30
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    key
        The write key itself, or the id of a write key or of an identity secret.
    days
        So many days it stays valid.
    """
    async with open_api() as api:
        path = await _path_of_key(api, await find_source(api, source), key)
        retired = await api.call("POST", f"{path}/retire", body={"after_days": days})
    _say_key(retired, "It is refused.", json)


async def restore(source: Name, key: Name | None = None, *, json: AsJson = False) -> None:
    """Take back what was retired or revoked: one key, or without one the whole source.

    For example:

    ```
    clarion sources restore "Android app"
    clarion sources restore "Android app" Vb0y4N1v0w8nGJ3oGm2k9mJw0Qd1rT5x
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    key
        The write key itself, or the id of a write key or of an identity secret.
    """
    async with open_api() as api:
        meant = await find_source(api, source)
        path = f"/sources/{meant['id']}"
        if key is not None:
            path = await _path_of_key(api, meant, key)
        restored = await api.call("POST", f"{path}/restore")
    if key is not None:
        _say_key(restored, "It is taken again.", json)
    elif json:
        print_record(restored, as_json=True)
    else:
        print_done(f"{restored['name']} can send again.")


async def sign(
    source: Name, *, days: Days = None, ask_in: AskIn = None, json: AsJson = False
) -> None:
    """Ask for signed userIds, or make another identity secret. It is shown this once.

    Whoever acts for a person through this source (identify, Register Push …) then needs the
    userId's signature, made with this secret on your own server. Former secrets stay valid.

    For example:

    ```
    clarion sources sign "Android app"
    clarion sources sign "Android app" --ask-in 60
    clarion sources sign "Android app" --for 30 --json
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    days
        So many days the former secrets stay valid. Without it: until somebody retires them.
    ask_in
        In so many days signatures are asked for, so that apps can be updated first. Without it: as
        before; for a first secret, now.
    """
    wanted = {"retire_former_after_days": days, "ask_after_days": ask_in}
    async with open_api() as api:
        path = f"/sources/{(await find_source(api, source))['id']}/identity-secrets"
        made = await api.call("POST", path, body=wanted)
    print_record(made, as_json=json)
    if not json:
        console.print("Keep it on your server: it is not shown again.", style="dim")


async def ask(source: Name, *, days: AskDays = 0, json: AsJson = False) -> None:
    """Ask for signatures now, or in some days, with the secrets that there are.

    For example:

    ```
    clarion sources ask "Android app"
    clarion sources ask "Android app" --in 30
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    days
        In so many days.
    """
    async with open_api() as api:
        path = f"/sources/{(await find_source(api, source))['id']}"
        changed = await api.call("PATCH", path, body={"ask_for_signatures_after_days": days})
        secrets = await read_list(api, f"{path}/identity-secrets")
    if json:
        print_record(changed, as_json=True)
    elif all(secret["state"] == RETIRED for secret in secrets):
        print_done(f"{changed['name']} has no identity secret yet: clarion sources sign.")
    else:
        at = with_times(changed)["signatures_from"]
        print_done(f"{changed['name']} asks for signatures from {at:%Y-%m-%d %H:%M} UTC on.")


async def unsign(source: Name, *, json: AsJson = False) -> None:
    """Ask for no signatures any more: userIds are taken at their word again.

    For example:

    ```
    clarion sources unsign "Android app"
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    """
    async with open_api() as api:
        path = f"/sources/{(await find_source(api, source))['id']}"
        await api.call("DELETE", f"{path}/identity-secrets")
        unsigned = await api.call("GET", path)
    if json:
        print_record(unsigned, as_json=True)
    else:
        print_done(f"{unsigned['name']} asks for no signatures.")


async def _keys_of(api: Api, source: Record) -> list[Record]:
    """Its write keys, and its identity secrets as far as the API key may see them."""
    path = f"/sources/{source['id']}"
    keys = await read_list(api, f"{path}/write-keys")
    try:
        return keys + await read_list(api, f"{path}/identity-secrets")
    except Ending as ending:
        if ending.word == "forbidden":
            return keys
        raise


async def _path_of_key(api: Api, source: Record, name: str) -> str:
    """Where a key is, by id, or a write key by itself. Ends the command where there is none."""
    for key in await _keys_of(api, source):
        if name in (key["id"], key.get("write_key")):
            kind = "write-keys" if key["kind"] == "write_key" else "identity-secrets"
            return f"/sources/{source['id']}/{kind}/{key['id']}"
    raise not_found("key", name)


def _say_key(key: Record, sentence: str, as_json: bool) -> None:
    if as_json:
        print_record(key, as_json=True)
    elif key["state"] == ENDS:
        print_done(f"It is refused from {with_times(key)['retires_at']:%Y-%m-%d} on.")
    else:
        print_done(sentence)
