"""Firebase apps: the projects we hold a service-account key for."""

from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from cyclopts import App as Commands
from msgspec.structs import asdict

from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    Name,
    print_done,
    print_json,
    print_record,
    print_records,
    refused,
)
from clarion.cli.session import Session, accepted, load_settings, open_session
from clarion.cli.source_choice import find_app, find_source
from clarion.deliveries.apps.commands import (
    PAUSED_BY_PERSON,
    change_app,
    decide_removals,
    pause_app,
    resume_app,
    set_app_key,
)
from clarion.deliveries.apps.queries import FirebaseApp, list_apps
from clarion.faults import Rejected
from clarion.providers.fcm.credentials import parse_service_account

FILE_BYTES_MAX = 65_536

commands = Commands(
    name="firebase-apps", help="Firebase apps: the projects we hold a service-account key for."
)


@commands.command
async def add(
    file: Path,
    *,
    source: list[str] | None = None,
    project: str | None = None,
    json: AsJson = False,
) -> None:
    """Add a Firebase app from a service-account JSON, or replace its key.

    The key is checked, encrypted at rest and never shown again. Get the file in the Firebase
    console: Project settings, Service accounts, Generate new private key.

    For example:

    ```
    clarion firebase-apps add service-account.json
    clarion firebase-apps add service-account.json --source "Android app" --json
    ```

    Parameters
    ----------
    file
        The service-account JSON.
    source
        A source, by id or name, to bind to it; may be given several times. Without one, a first
        Firebase app is bound to every source that has none.
    project
        The Firebase project it is meant for: a key of another one is refused.
    """
    account = parse_service_account(
        _read(file), fcm_url=load_settings().fcm_url, may_be_simulated=True
    )
    if isinstance(account, list):
        raise refused(
            f"{file} is no usable service-account key:",
            [(fault.field, fault.message) for fault in account],
            word="credentials",
        )
    if project is not None and project.strip() != account.project_id:
        raise refused(
            f"{file} is a key of the project {account.project_id}, not of {project}: download one "
            f"in the Firebase console of {project}, or leave --project out.",
            word="credentials",
        )
    async with open_session() as session:
        async with session.database.read() as connection:
            bound = [(await find_source(connection, session, name)).id for name in source or []]
        keyed = accepted(await session.do(set_app_key, account.info, bound))
    record = _shown(keyed.app) | {"sources": [one.name for one in keyed.sources]}
    print_record(record, as_json=json)


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List Firebase apps. Their keys are never shown.

    For example:

    ```
    clarion firebase-apps list
    ```
    """
    async with open_session() as session:
        apps = await session.ask(list_apps)
    print_records(
        [_shown(app) for app in apps],
        as_json=json,
        columns=(
            "id",
            "project_id",
            "client_email",
            "paused_reason",
            "tries_again_at",
            "removals_stopped_reason",
        ),
        none="There is no Firebase app yet: clarion firebase-apps add FILE",
    )


@commands.command
async def pause(
    firebase_app: Name, *, reason: str = PAUSED_BY_PERSON, json: AsJson = False
) -> None:
    """Send nothing through a Firebase app until it is resumed. Nothing planned is lost.

    For example:

    ```
    clarion firebase-apps pause shop-prod --reason "key is being rotated"
    ```
    """
    async with open_session() as session:
        paused = await session.do(pause_app, await _find(session, firebase_app), reason)
    _say(paused, "Nothing is sent through {}.", json)


@commands.command
async def resume(firebase_app: Name, *, json: AsJson = False) -> None:
    """Send through a Firebase app again, after the cause of its pause is cured.

    For example:

    ```
    clarion firebase-apps resume shop-prod
    ```
    """
    async with open_session() as session:
        resumed = await session.do(resume_app, await _find(session, firebase_app))
    _say(resumed, "{} sends again.", json)


@commands.command(name="set")
async def set_(
    firebase_app: Name,
    *,
    pushes_per_minute: int | None = None,
    avoid_peaks: bool | None = None,
    json: AsJson = False,
) -> None:
    """Change how fast pushes leave through a Firebase app.

    For example:

    ```
    clarion firebase-apps set shop-prod --pushes-per-minute 1200000
    clarion firebase-apps set shop-prod --avoid-peaks
    ```

    Parameters
    ----------
    pushes_per_minute
        Its quota at FCM: 600000 unless Google has granted another.
    avoid_peaks
        Whether nothing leaves from two minutes before to two after each quarter of an hour.
    """
    async with open_session() as session:
        changed = accepted(
            await session.do(
                change_app,
                await _find(session, firebase_app),
                pushes_per_minute=pushes_per_minute,
                avoid_peaks=avoid_peaks,
            )
        )
    sentence = f"{{}} sends up to {changed.pushes_per_minute:,} pushes a minute"
    _say(changed, sentence + (", none in FCM's peaks." if changed.avoid_peaks else "."), json)


@commands.command
async def removals(
    firebase_app: Name, decision: Literal["remove", "keep"], *, json: AsJson = False
) -> None:
    """Decide about the registrations in quarantine; campaigns that were paused for it go on.

    When FCM says of far more devices than usual that they are gone, nothing is removed until
    somebody has decided. `clarion firebase-apps list` shows why.

    For example:

    ```
    clarion firebase-apps removals shop-prod keep
    clarion firebase-apps removals shop-prod remove
    ```

    Parameters
    ----------
    decision
        remove: FCM is right, and they are dead. keep: it is not, say after a wrong key.
    """
    async with open_session() as session:
        app_id = await _find(session, firebase_app)
        decided = await session.do(decide_removals, app_id, remove=decision == "remove")
    done = "removed" if decision == "remove" else "kept"
    _say(decided, f"What was in quarantine is {done}; {{}} goes on.", json)


async def _find(session: Session, name: str) -> UUID:
    async with session.database.read() as connection:
        return (await find_app(connection, session, name)).id


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise refused(f"{file} is too large to be a service-account key.")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Ending(ExitCode.NOT_FOUND, f"There is no file {file}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise refused(f"{file} can not be read: {error}") from error


def _say(changed: FirebaseApp | Rejected, sentence: str, as_json: bool) -> None:
    """`sentence` names the project where it has braces."""
    app = accepted(changed)
    if as_json:
        print_json(_shown(app))
    else:
        print_done(sentence.format(app.project_id))


def _shown(app: FirebaseApp) -> dict[str, Any]:
    shown = asdict(app)
    del shown["quarantined"]
    return shown
