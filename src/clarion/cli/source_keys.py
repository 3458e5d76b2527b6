"""`clarion sources show | rotate | retire | restore | sign | unsign`: keys of both kinds."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.cli.output import (
    AsJson,
    Name,
    console,
    not_found,
    print_done,
    print_json,
    print_record,
    print_records,
    refused,
)
from clarion.cli.session import open_session
from clarion.cli.source_choice import find_source, shown
from clarion.sources.key_rotation import (
    KeyRefused,
    keys_of,
    retire_identity_secrets,
    rotate_identity_secret,
    rotate_write_key,
)
from clarion.sources.key_rotation import restore as restore_key
from clarion.sources.key_rotation import retire as retire_key
from clarion.sources.key_store import KeyKind
from clarion.sources.source import Key, Source, WriteKey
from clarion.sources.store import ask_for_signatures_from, restore_source

DAYS_MAX = 3_650

Days = Annotated[
    int | None, Parameter(name="--for", negative="", validator=Number(gte=0, lte=DAYS_MAX))
]
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
    async with open_session() as session, session.database.read() as connection:
        found = await find_source(connection, session, source)
        now = session.clock.now()
    record = shown(found)
    keys = [_shown_key(key, now) for kind in KeyKind for key in keys_of(found, kind)]
    if json:
        print_json(record | {"keys": keys})
        return
    print_record(record, as_json=False)
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
    async with open_session() as session, session.database.write() as connection:
        now = session.clock.now()
        made = await rotate_write_key(
            connection,
            await find_source(connection, session, source, lock=True),
            key_id=session.clock.new_id(),
            now=now,
            retire_former_at=_after(days, now),
        )
        if isinstance(made, KeyRefused):
            raise refused(made.message, word="source_keys")
    print_record(_shown_key(made, now), as_json=json)


async def retire(source: Name, key: Name, *, days: Days = 0, json: AsJson = False) -> None:
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
    async with open_session() as session, session.database.write() as connection:
        found = await find_source(connection, session, source, lock=True)
        kind, known = _find_key(found, key)
        now = session.clock.now()
        at = _after(days, now) or now
        refusal = await retire_key(connection, found, kind, known.id, at=at, now=now)
        if refusal is not None:
            raise refused(refusal.message, word="source_keys")
        _, known = _find_key(await find_source(connection, session, source), key)
    _say_key(known, now, "It is refused.", json)


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
    async with open_session() as session, session.database.write() as connection:
        found = await find_source(connection, session, source, lock=True)
        now = session.clock.now()
        if key is None:
            await restore_source(connection, session.workspace_id, found.id)
            found = await find_source(connection, session, source)
        else:
            kind, known = _find_key(found, key)
            refusal = await restore_key(connection, found, kind, known.id, now=now)
            if refusal is not None:
                raise refused(refusal.message, word="source_keys")
            _, known = _find_key(await find_source(connection, session, source), key)
    if key is not None:
        _say_key(known, now, "It is taken again.", json)
    elif json:
        print_record(shown(found), as_json=True)
    else:
        print_done(f"{found.name} can send again.")


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
    async with open_session() as session, session.database.write() as connection:
        now = session.clock.now()
        made = await rotate_identity_secret(
            connection,
            await find_source(connection, session, source, lock=True),
            session.vault(),
            secret_id=session.clock.new_id(),
            now=now,
            retire_former_at=_after(days, now),
            ask_at=_after(ask_in, now),
        )
        if isinstance(made, KeyRefused):
            raise refused(made.message, word="source_keys")
    secret, text = made
    print_record(_shown_key(secret, now) | {"secret": text}, as_json=json)
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
    async with open_session() as session, session.database.write() as connection:
        now = session.clock.now()
        found = await find_source(connection, session, source, lock=True)
        at = _after(days, now) or now
        await ask_for_signatures_from(connection, session.workspace_id, found.id, at)
        found = await find_source(connection, session, source)
    if json:
        print_record(shown(found), as_json=True)
    elif not any(one.is_valid(now) for one in found.identity_secrets):
        print_done(f"{found.name} has no identity secret yet: clarion sources sign.")
    else:
        print_done(f"{found.name} asks for signatures from {at:%Y-%m-%d %H:%M} UTC on.")


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
    async with open_session() as session, session.database.write() as connection:
        found = await find_source(connection, session, source, lock=True)
        await retire_identity_secrets(connection, found, session.clock.now())
        found = await find_source(connection, session, source)
    if json:
        print_record(shown(found), as_json=True)
    else:
        print_done(f"{found.name} asks for no signatures.")


def _find_key(source: Source, name: str) -> tuple[KeyKind, Key]:
    """A key by id, or a write key by itself. Ends the command where there is none."""
    for kind in KeyKind:
        for key in keys_of(source, kind):
            if str(key.id) == name or (isinstance(key, WriteKey) and key.write_key == name):
                return kind, key
    raise not_found("key", name)


def _after(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _say_key(key: Key, now: datetime, sentence: str, as_json: bool) -> None:
    if as_json:
        print_record(_shown_key(key, now), as_json=True)
    elif key.retires_at is not None and key.is_valid(now):
        print_done(f"It is refused from {key.retires_at:%Y-%m-%d} on.")
    else:
        print_done(sentence)


def _shown_key(key: Key, now: datetime) -> dict[str, Any]:
    is_write_key = isinstance(key, WriteKey)
    state = "stands" if key.retires_at is None else "ends" if key.is_valid(now) else "retired"
    return {
        "id": key.id,
        "kind": (KeyKind.WRITE_KEY if is_write_key else KeyKind.IDENTITY_SECRET).value,
        "write_key": key.write_key if isinstance(key, WriteKey) else None,
        "state": state,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "retires_at": key.retires_at,
    }
