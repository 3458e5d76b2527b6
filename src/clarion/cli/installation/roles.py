"""Clarion's roles as a process: what `clarion serve` and `clarion run` do once they are understood.

A process that is started as `clarion run ROLE…` does not load what reads and explains a command
line: `read_process` understands these words alone, and leaves all others to the command itself.
"""

import asyncio
import gc
import os
from collections.abc import Callable, Sequence
from functools import partial

import structlog
import uvloop

from clarion.app import App, CanNotListen, Exhausted, Role
from clarion.cli.installation.first_start import check_migrated, sqlite_file
from clarion.cli.installation.private_files import cure_of, open_to_others
from clarion.config import Settings, read_settings
from clarion.deliveries.practice import PracticePhone
from clarion.storage.sqlite.file import check_start
from clarion.telemetry import set_up_logs

log = structlog.get_logger(__name__)

GARBAGE_THRESHOLDS = (20_000, 10, 10)
"""Objects made, and rounds, between the rounds of the garbage collector. A transaction makes tens
of thousands of values that all end with it, and hardly any of them in a cycle: Python's own 700
would look through them again and again, for nothing."""


def read_process(tokens: Sequence[str]) -> Callable[[], int] | None:
    """What runs `run ROLE…` and returns its exit code. None where a word is no role or a setting is
    wrong, which the command explains."""
    words, role_names = tokens[1:], {role.value for role in Role}
    settings = read_settings(os.environ)
    if not words or not role_names.issuperset(words) or isinstance(settings, list):
        return None
    return partial(_run_process, settings, [Role(word) for word in words])


def _run_process(settings: Settings, roles: list[Role]) -> int:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_roles(settings, roles))
    except Exception as error:
        from clarion.cli.program import end_of  # loads all of the command line, for its last words

        return end_of(error, as_json=False)
    return 0


async def run_roles(settings: Settings, roles: list[Role]) -> None:
    """Run the roles on a database that is migrated, until a signal."""
    set_up_logs(settings.log)
    await look_at_file(settings)
    await check_migrated(settings)
    await run_app(settings, roles)


async def run_app(
    settings: Settings, roles: list[Role], phone: PracticePhone | None = None
) -> None:
    """Run the roles until a signal. Ends the command where it can not listen, or where memory or
    threads are used up."""
    paths = open_to_others(settings)
    if paths:
        log.warning(
            "files_open_to_others",
            files=[path.name for path in paths],
            cure=cure_of(paths, settings),
        )
    async with App.open(settings, phone=phone) as app:
        app.stop_on_signals()
        _settle_down()
        try:
            await app.run(roles, on_listening=_say_listening)
        except Exhausted:
            from clarion.cli.output import Ending, ExitCode

            raise Ending(
                ExitCode.FAILURE,
                "Memory or threads of this process are used up: raise its limit. Nothing is lost; "
                "start it again.",
                word="exhausted",
            ) from None
        except CanNotListen as error:
            from clarion.cli.output import Ending, ExitCode

            raise Ending(ExitCode.UNAVAILABLE, str(error), word="address") from error


async def look_at_file(settings: Settings) -> None:
    """Raises StorageUnavailable where the embedded database's file is damaged."""
    file = sqlite_file(settings)
    if file is not None:
        await asyncio.to_thread(check_start, file)


def _settle_down() -> None:
    """From here on nothing is loaded any more: what is there stays, and need not be looked through
    for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _say_listening(url: str) -> None:
    print(f"Clarion listens on {url} · API {url}/api/v1 · Ctrl-C stops", flush=True)
