"""`clarion sources show | rotate | retire | restore | sign | unsign`: keys of both kinds."""

from typing import Annotated

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
)
from clarion.cli.session import accepted, open_session
from clarion.cli.source_choice import meant_source, shown, shown_key
from clarion.deliveries.apps.source_commands import change_source
from clarion.sources.commands import (
    DAYS_MAX,
    create_identity_secret,
    restore_key,
    restore_source,
    retire_identity_secrets,
    retire_key,
    rotate_write_key,
)
from clarion.sources.queries import KeyState, KeyView, SourceView

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
    async with open_session() as session:
        found = await meant_source(session, source)
    record = shown(found)
    keys = [shown_key(key) for key in (*found.write_keys, *found.identity_secrets)]
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
    async with open_session() as session:
        found = await meant_source(session, source)
        made = await rotate_write_key(
            session.services, session.actor, found.id, retire_former_after_days=days
        )
    print_record(shown_key(accepted(made)), as_json=json)


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
    async with open_session() as session:
        found = await meant_source(session, source)
        known = _find_key(found, key)
        retired = await retire_key(
            session.services, session.actor, found.id, known.kind, known.id, days=days
        )
    _say_key(accepted(retired), "It is refused.", json)


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
    async with open_session() as session:
        found = await meant_source(session, source)
        if key is not None:
            known = _find_key(found, key)
            restored = await restore_key(
                session.services, session.actor, found.id, known.kind, known.id
            )
            _say_key(accepted(restored), "It is taken again.", json)
            return
        found = accepted(await restore_source(session.services, session.actor, found.id))
    if json:
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
    async with open_session() as session:
        found = await meant_source(session, source)
        made = accepted(
            await create_identity_secret(
                session.services,
                session.actor,
                found.id,
                retire_former_after_days=days,
                ask_after_days=ask_in,
            )
        )
    print_record(shown_key(made.key) | {"secret": made.secret}, as_json=json)
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
    async with open_session() as session:
        found = await meant_source(session, source)
        changed = await change_source(
            session.services, session.actor, found.id, ask_for_signatures_after_days=days
        )
        found = accepted(changed)
    if json:
        print_record(shown(found), as_json=True)
    elif all(secret.state is KeyState.RETIRED for secret in found.identity_secrets):
        print_done(f"{found.name} has no identity secret yet: clarion sources sign.")
    else:
        at = found.signatures_from
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
    async with open_session() as session:
        found = await meant_source(session, source)
        unsigned = await retire_identity_secrets(session.services, session.actor, found.id)
    if json:
        print_record(shown(accepted(unsigned)), as_json=True)
    else:
        print_done(f"{found.name} asks for no signatures.")


def _find_key(source: SourceView, name: str) -> KeyView:
    """A key by id, or a write key by itself. Ends the command where there is none."""
    for key in (*source.write_keys, *source.identity_secrets):
        if name in (str(key.id), key.write_key):
            return key
    raise not_found("key", name)


def _say_key(key: KeyView, sentence: str, as_json: bool) -> None:
    if as_json:
        print_record(shown_key(key), as_json=True)
    elif key.state is KeyState.ENDS:
        print_done(f"It is refused from {key.retires_at:%Y-%m-%d} on.")
    else:
        print_done(sentence)
