"""Sources: the apps that send events, each with its write key."""

from cyclopts import App as Commands

from clarion.cli.output import AsJson, Name, print_done, print_record, print_records
from clarion.cli.session import open_session
from clarion.cli.source_activity import tail
from clarion.cli.source_choice import choose_app, find_app, find_source, public_key_note, shown
from clarion.cli.source_counts import counts
from clarion.cli.source_keys import ask, restore, retire, rotate, show, sign, unsign
from clarion.cli.source_rules import limit, origins
from clarion.sources.rate_limit import DEFAULT_LIMIT
from clarion.sources.store import (
    bind_firebase_app,
    create_source,
    list_sources,
    revoke_source,
)

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
    async with open_session() as session, session.database.write() as connection:
        app = await choose_app(connection, session, firebase_app)
        source = await create_source(
            connection,
            workspace_id=session.workspace_id,
            name=name,
            source_id=session.clock.new_id(),
            now=session.clock.now(),
            firebase_app_id=None if app is None else app.id,
            limit=DEFAULT_LIMIT,
        )
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
        sources = await list_sources(connection, session.workspace_id)
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
    async with open_session() as session, session.database.write() as connection:
        found = await find_source(connection, session, source)
        app = await find_app(connection, session, firebase_app)
        await bind_firebase_app(connection, session.workspace_id, found.id, app.id)
    if json:
        print_record(shown(found) | {"firebase_app_id": app.id}, as_json=True)
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
    async with open_session() as session, session.database.write() as connection:
        found = await find_source(connection, session, source)
        now = session.clock.now()
        await revoke_source(connection, session.workspace_id, found.id, now)
    if json:
        print_record(shown(found) | {"revoked_at": now}, as_json=True)
    else:
        print_done(f"{found.name} can no longer send.")
