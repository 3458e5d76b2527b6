"""Firebase apps: the projects we hold a service-account key for."""

from codecs import BOM_UTF8
from pathlib import Path
from typing import Any, Literal

import msgspec
from cyclopts import App as Commands

from clarion.cli.api import ask_list, open_api
from clarion.cli.api.client import Api, read_list
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
    with_times,
)
from clarion.cli.sources.choice import find_app, find_source

FILE_BYTES_MAX = 65_536
PAUSED_BY_PERSON = "by a person"

commands = Commands(
    name="firebase-apps", help="Firebase apps: the projects we hold a service-account key for."
)


@commands.command
async def add(
    file: Path, *, source: list[str] | None = None, project: str | None = None, json: AsJson = False
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
    key = _read(file)
    of_key = _project_of(key)
    if project is not None and of_key is not None and project.strip() != of_key:
        raise refused(
            f"{file} is a key of the project {of_key}, not of {project}: download one "
            f"in the Firebase console of {project}, or leave --project out.",
            word="credentials",
        )
    async with open_api() as api:
        to_bind = [(await find_source(api, name))["id"] for name in source or []]
        try:
            query = {"source_id": to_bind or None}
            app = await api.call("POST", "/firebase-apps", query=query, body=key)
        except Ending as ending:
            raise _of_file(ending, file) from None
        sources = await read_list(api, "/sources")
    bound = [
        candidate["name"] for candidate in sources if candidate["firebase_app_id"] == app["id"]
    ]
    if json:
        print_record({**app, "sources": bound}, as_json=True)
    else:
        print_record({**_row(app), "sources": bound}, as_json=False)


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List Firebase apps. Their keys are never shown.

    For example:

    ```
    clarion firebase-apps list
    ```
    """
    apps = await ask_list("/firebase-apps")
    print_records(
        apps if json else [_row(app) for app in apps],
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
    async with open_api() as api:
        path = f"{await _path_of(api, firebase_app)}/pause"
        paused = await api.call("POST", path, body={"reason": reason})
    _say(paused, "Nothing is sent through {}.", json)


@commands.command
async def resume(firebase_app: Name, *, json: AsJson = False) -> None:
    """Send through a Firebase app again, after the cause of its pause is cured.

    For example:

    ```
    clarion firebase-apps resume shop-prod
    ```
    """
    async with open_api() as api:
        resumed = await api.call("POST", f"{await _path_of(api, firebase_app)}/resume")
    _say(resumed, "{} sends again.", json)


@commands.command
async def check(firebase_app: Name, *, json: AsJson = False) -> None:
    """Ask FCM whether it takes the key of a Firebase app. No push is sent.

    For example:

    ```
    clarion firebase-apps check shop-prod
    ```
    """
    async with open_api() as api:
        checked = await api.call("POST", f"{await _path_of(api, firebase_app)}/check")
    if json:
        print_json(checked)
        return
    why = f"{checked['reason']} {checked['detail']}".strip()
    match checked["verdict"]:
        case "works":
            print_done("FCM takes the key.")
        case "refused":
            raise Ending(ExitCode.FAILURE, f"FCM refuses the key: {why}", word="key_refused")
        case _:
            raise Ending(ExitCode.UNAVAILABLE, f"FCM can not be asked now: {why}")


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
    wanted = {"pushes_per_minute": pushes_per_minute, "avoid_peaks": avoid_peaks}
    change = {field: value for field, value in wanted.items() if value is not None}
    async with open_api() as api:
        changed = await api.call("PATCH", await _path_of(api, firebase_app), body=change)
    sentence = f"{{}} sends up to {changed['pushes_per_minute']:,} pushes a minute"
    _say(changed, sentence + (", none in FCM's peaks." if changed["avoid_peaks"] else "."), json)


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
    async with open_api() as api:
        before = await find_app(api, firebase_app)
        path = f"/firebase-apps/{before['id']}/removals"
        decided = await api.call("POST", path, body={"decision": decision})
    if before["removals_stopped_at"] is None:
        _say(decided, "Nothing of {} was in quarantine.", json)
        return
    done = "removed" if decision == "remove" else "kept"
    _say(decided, f"What was in quarantine of {{}} is {done}; what waited for that goes on.", json)


async def _path_of(api: Api, name: str) -> str:
    return f"/firebase-apps/{(await find_app(api, name))['id']}"


def _project_of(key: bytes) -> str | None:
    """The project of a service-account JSON; None: it names none, and the API says what is wrong
    with it."""
    try:
        return msgspec.json.decode(key.removeprefix(BOM_UTF8), type=_Project).project_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Project(msgspec.Struct):
    project_id: str


def _of_file(ending: Ending, file: Path) -> Ending:
    """What is wrong with a key, with the name of its file."""
    if ending.word != "invalid_credentials":
        return ending
    message = f"{file} is no usable service-account key:"
    return refused(message, ending.faults, word="credentials")


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise refused(f"{file} is too large to be a service-account key.")
        return file.read_text(encoding="utf-8").encode()
    except FileNotFoundError:
        raise Ending(ExitCode.NOT_FOUND, f"There is no file {file}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise refused(f"{file} can not be read: {error}") from error


def _say(app: dict[str, Any], sentence: str, as_json: bool) -> None:
    """`sentence` names the project where it has braces."""
    if as_json:
        print_record(app, as_json=True)
    else:
        print_done(sentence.format(app["project_id"]))


def _row(app: dict[str, Any]) -> dict[str, Any]:
    """A Firebase app for a table."""
    shown = with_times(app)
    for name in ("quarantined", "bound_source_ids"):
        shown.pop(name, None)
    return shown
