"""Firebase apps: the projects we hold a service-account key for."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
from cyclopts import App as Commands

from clarion.broker import NewJob
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    Name,
    print_done,
    print_record,
    print_records,
    refused,
)
from clarion.cli.session import Session, load_settings, open_session
from clarion.cli.source_choice import find_app, find_source
from clarion.deliveries.apps.pacing import PER_MINUTE_MAX, PER_MINUTE_MIN
from clarion.deliveries.apps.store import (
    FirebaseApp,
    bind_first_app,
    list_apps,
    pause_app,
    put_app,
    resume_app,
    set_limits,
)
from clarion.deliveries.steering import decide_removals, publish, take_up
from clarion.providers.fcm.credentials import parse_service_account
from clarion.sources.store import bind_firebase_app, list_sources

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
        sealed = session.vault().seal(msgspec.json.encode(dict(account.info)))
        async with session.database.write() as connection:
            sources = [await find_source(connection, session, name) for name in source or []]
            app = await put_app(
                connection,
                workspace_id=session.workspace_id,
                app_id=session.clock.new_id(),
                project_id=account.project_id,
                client_email=account.client_email,
                private_key_id=account.private_key_id,
                sealed_key=sealed,
                now=session.clock.now(),
            )
            for one in sources:
                await bind_firebase_app(connection, session.workspace_id, one.id, app.id)
            if not sources:
                await bind_first_app(connection, app)
            known = await list_sources(connection, session.workspace_id)
            held = await take_up(connection, app.id, session.clock.now())
        await _nudge(session, held)
    reached = [one.name for one in known if one.firebase_app_id == app.id]
    record = _shown(app) | {"sources": reached}
    print_record(record, as_json=json)


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List Firebase apps. Their keys are never shown.

    For example:

    ```
    clarion firebase-apps list
    ```
    """
    async with open_session() as session, session.database.read() as connection:
        apps = await list_apps(connection, session.workspace_id)
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
async def pause(firebase_app: Name, *, reason: str = "by a person", json: AsJson = False) -> None:
    """Send nothing through a Firebase app until it is resumed. Nothing planned is lost.

    For example:

    ```
    clarion firebase-apps pause shop-prod --reason "key is being rotated"
    ```
    """
    async with open_session() as session, session.database.write() as connection:
        app = await find_app(connection, session, firebase_app)
        await pause_app(connection, app.id, reason, now=session.clock.now())
        app = await find_app(connection, session, firebase_app)
    _say(app, f"Nothing is sent through {app.project_id}.", json)


@commands.command
async def resume(firebase_app: Name, *, json: AsJson = False) -> None:
    """Send through a Firebase app again, after the cause of its pause is cured.

    For example:

    ```
    clarion firebase-apps resume shop-prod
    ```
    """
    async with open_session() as session:
        async with session.database.write() as connection:
            app = await find_app(connection, session, firebase_app)
            await resume_app(connection, session.workspace_id, app.id)
            held = await take_up(connection, app.id, session.clock.now())
            app = await find_app(connection, session, firebase_app)
        await _nudge(session, held)
    _say(app, f"{app.project_id} sends again.", json)


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
    if pushes_per_minute is not None and not PER_MINUTE_MIN <= pushes_per_minute <= PER_MINUTE_MAX:
        raise refused(f"--pushes-per-minute must be from {PER_MINUTE_MIN} to {PER_MINUTE_MAX}.")
    async with open_session() as session, session.database.write() as connection:
        app = await find_app(connection, session, firebase_app)
        limits = app.limits
        if pushes_per_minute is not None:
            limits = replace(limits, per_minute=pushes_per_minute)
        if avoid_peaks is not None:
            limits = replace(limits, avoids_peaks=avoid_peaks)
        await set_limits(connection, session.workspace_id, app.id, limits)
        app = await find_app(connection, session, firebase_app)
    told = f"{app.project_id} sends up to {app.limits.per_minute:,} pushes a minute"
    _say(app, told + (", none in FCM's peaks." if app.limits.avoids_peaks else "."), json)


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
        async with session.database.read() as connection:
            app = await find_app(connection, session, firebase_app)
        jobs = await decide_removals(
            session.database,
            session.workspace_id,
            app.id,
            remove=decision == "remove",
            now=session.clock.now(),
        )
        await _nudge(session, jobs)
        async with session.database.read() as connection:
            app = await find_app(connection, session, firebase_app)
    done = "removed" if decision == "remove" else "kept"
    _say(app, f"What was in quarantine is {done}; {app.project_id} goes on.", json)


async def _nudge(session: Session, jobs: Sequence[NewJob]) -> None:
    if jobs:
        async with session.broker() as broker:
            await publish(broker, jobs)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise refused(f"{file} is too large to be a service-account key.")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Ending(ExitCode.NOT_FOUND, f"There is no file {file}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise refused(f"{file} can not be read: {error}") from error


def _say(app: FirebaseApp, sentence: str, as_json: bool) -> None:
    if as_json:
        print_record(_shown(app), as_json=True)
    else:
        print_done(sentence)


def _shown(app: FirebaseApp) -> dict[str, Any]:
    return {
        "id": app.id,
        "project_id": app.project_id,
        "client_email": app.client_email,
        "private_key_id": app.private_key_id,
        "paused_reason": app.paused_reason,
        "paused_at": app.paused_at,
        "tries_again_at": app.tries_again_at,
        "pushes_per_minute": app.limits.per_minute,
        "avoid_peaks": app.limits.avoids_peaks,
        "removals_stopped_at": app.removals_stopped_at,
        "removals_stopped_reason": app.removals_stopped_reason,
        "created_at": app.created_at,
        "replaced_at": app.replaced_at,
    }
