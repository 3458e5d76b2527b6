"""Sources: the apps that send events, each with its write key."""

from cyclopts import App as Commands

from clarion.cli.api import ask_list, open_api
from clarion.cli.output import AsJson, Name, print_done, print_record, print_records
from clarion.cli.sources.choice import find_app, find_source, public_key_note
from clarion.cli.sources.counts import counts
from clarion.cli.sources.keys import ask, restore, retire, rotate, show, sign, unsign
from clarion.cli.sources.rules import limit, origins
from clarion.cli.sources.tail import tail

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
    wanted = {"name": name}
    async with open_api() as api:
        if firebase_app is not None:
            wanted["firebase_app_id"] = (await find_app(api, firebase_app))["id"]
        source = await api.call("POST", "/sources", body=wanted)
    if json:
        print_record(source, as_json=True)
        return
    print_record(source, as_json=False)
    print_done(public_key_note(source))


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List sources with their write keys.

    For example:

    ```
    clarion sources list --json
    ```
    """
    sources = await ask_list("/sources")
    print_records(
        sources,
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
    async with open_api() as api:
        path = f"/sources/{(await find_source(api, source))['id']}"
        app = await find_app(api, firebase_app)
        bound = await api.call("PATCH", path, body={"firebase_app_id": app["id"]})
    if json:
        print_record(bound, as_json=True)
    else:
        print_done(f"Devices of {bound['name']} are reached through {app['project_id']}.")


@commands.command
async def revoke(source: Name, *, json: AsJson = False) -> None:
    """Refuse every write key of a source from now on (within seconds in running collectors).

    `clarion sources restore` takes it back.

    For example:

    ```
    clarion sources revoke "Android app"
    ```
    """
    async with open_api() as api:
        meant = await find_source(api, source)
        revoked = await api.call("POST", f"/sources/{meant['id']}/revoke")
    if json:
        print_record(revoked, as_json=True)
    else:
        print_done(f"{revoked['name']} can no longer send.")
