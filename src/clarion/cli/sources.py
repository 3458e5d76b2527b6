"""Sources: the apps that send events, each with its write key."""

from uuid import UUID

from cyclopts import App as Commands
from msgspec import UNSET, UnsetType

from clarion.cli.output import AsJson, Name, print_done, print_record, print_records
from clarion.cli.session import accepted, open_session
from clarion.cli.source_activity import tail
from clarion.cli.source_choice import find_app, find_source, meant_source, public_key_note, shown
from clarion.cli.source_counts import counts
from clarion.cli.source_keys import ask, restore, retire, rotate, show, sign, unsign
from clarion.cli.source_rules import limit, origins
from clarion.deliveries.apps.source_commands import change_source, create_source
from clarion.sources.commands import revoke_source
from clarion.sources.queries import list_sources

commands = Commands(name="sources", help="Sources: the apps that send events, with write keys.")

for _verb in (show, tail, counts, rotate, retire, restore, sign, ask, unsign, limit, origins):
    commands.command(_verb)


@commands.command
async def create(name: str, *, firebase_app: str | None = None, json: AsJson = False) -> None:
    """Make a source. Its write key is public: it can send events, and nothing else.

    Each write key may send 1,000 events a second, 20,000 at once; `clarion sources limit` changes
    that. Its userIds are taken at their word until `clarion sources sign`.

    For example:

    ```
    clarion sources create "Android app"
    clarion sources create web --firebase-app shop-prod --json
    ```

    Parameters
    ----------
    name
        The app's name.
    firebase_app
        Its Firebase app, by id or project id: devices of this source are reached through it.
        Without it: the workspace's Firebase app, if there is exactly one.
    """
    async with open_session() as session:
        app_id: UUID | UnsetType = UNSET
        if firebase_app is not None:
            async with session.database.read() as connection:
                app_id = (await find_app(connection, session, firebase_app)).id
        made = await create_source(session.services, session.actor, name, firebase_app_id=app_id)
        source = accepted(made)
    print_record(shown(source), as_json=json)
    if not json:
        print_done(public_key_note(source))


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List sources with their write keys.

    For example:

    ```
    clarion sources list --json
    ```
    """
    async with open_session() as session, session.database.read() as connection:
        sources = await list_sources(connection, session.actor, session.clock.now())
    print_records(
        [shown(source) for source in sources],
        as_json=json,
        columns=("id", "name", "write_key", "firebase_app_id", "signs_identity", "revoked_at"),
        none="There is no source yet: clarion sources create NAME",
    )


@commands.command
async def bind(source: Name, firebase_app: Name, *, json: AsJson = False) -> None:
    """Reach the devices of a source through a Firebase app.

    For example:

    ```
    clarion sources bind "Android app" shop-prod
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    firebase_app
        The Firebase app, by id or project id.
    """
    async with open_session() as session:
        async with session.database.read() as connection:
            found = await find_source(connection, session, source)
            app = await find_app(connection, session, firebase_app)
        bound = await change_source(
            session.services, session.actor, found.id, firebase_app_id=app.id
        )
    if json:
        print_record(shown(accepted(bound)), as_json=True)
    else:
        print_done(f"Devices of {found.name} are reached through {app.project_id}.")


@commands.command
async def revoke(source: Name, *, json: AsJson = False) -> None:
    """Refuse every write key of a source from now on (within seconds in running collectors).

    `clarion sources restore` takes it back.

    For example:

    ```
    clarion sources revoke "Android app"
    ```
    """
    async with open_session() as session:
        found = await meant_source(session, source)
        revoked = accepted(await revoke_source(session.services, session.actor, found.id))
    if json:
        print_record(shown(revoked), as_json=True)
    else:
        print_done(f"{found.name} can no longer send.")
