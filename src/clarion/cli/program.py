"""The commands, and how one of them is run."""

import asyncio
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from cyclopts import App as Commands
from cyclopts import (
    CombinedShortOptionError,
    CycloptsError,
    MissingArgumentError,
    UnknownOptionError,
)

from clarion import __version__
from clarion.cli import INTERRUPTED
from clarion.cli.context import WORKSPACE_HELP, chosen_workspace, without_workspace
from clarion.cli.output import EXIT_CODES_HELP, Ending, ExitCode, console, errors, print_ending

_VERBS = {
    "serve": (
        "installation.serving:serve",
        "Serve everything in one process: collector, API and every agent.",
    ),
    "run": ("installation.serving:run", "Run one role, or several, in this process."),
    "demo": ("demo:demo", "Play the main job from end to end against the FCM simulator."),
    "migrate": (
        "installation.migrating:migrate",
        "Bring the database to this version. Running it again changes nothing.",
    ),
    "check": (
        "installation.checking:check",
        "Look at settings, database, broker, keys and FCM without starting anything.",
    ),
    "config": (
        "installation.showing:config",
        "Show every setting in force, and whether it comes from a variable, a file or the default.",
    ),
    "top": (
        "installation.top:top",
        "Show on one screen, live, what comes in, what waits, and what FCM answers; Ctrl-C ends "
        "it.",
    ),
    "backup": (
        "installation.backup:backup",
        "Copy the database to a file, as it is at one instant; Clarion may run meanwhile.",
    ),
    "restore": (
        "installation.backup:restore",
        "Put a backup back, at this version, with everything held that would send.",
    ),
    "hold": (
        "installation.backup:hold",
        "Pause every scheduled campaign and every launch under way, in all workspaces.",
    ),
    "audit": ("accounts.audit:audit", "Show who did what to which thing, the newest first."),
    "import": (
        "importing.importing:import_",
        "Import customers, devices or past events from a CSV or NDJSON file.",
    ),
    "export": (
        "importing.exporting:export",
        "Export customers, devices or events, as a file that `clarion import` takes.",
    ),
}
"""Where each function is, and what an overview says of it: the first sentence of its docstring."""
_GROUPS = {
    "audiences.audiences": "Audiences: named sets of customers, whom campaigns are for.",
    "campaigns.campaigns": "Campaigns: what to say to whom, when, and what became of it.",
    "campaigns.pushes": "Pushes: one to one customer, at once.",
    "customers.customers": "Customers: whom we know, and what they did.",
    "customers.devices": "Devices: where customers can be reached.",
    "sources.firebase-apps": "Firebase apps: the projects we hold a service-account key for.",
    "accounts.keys": "API keys: what scripts and people call /api/v1 with.",
    "accounts.people": "People: who works in the workspace, and in which role.",
    "installation.secrets": "The key that seals Firebase keys and identity secrets.",
    "installation.simulator": "Run a wire-faithful FCM for development and tests, until Ctrl-C: "
    "TLS, HTTP/2, OAuth.",
    "sources.sources": "Sources: the apps that send events, with write keys.",
    "accounts.workspace": "The workspace: what holds for all of it.",
    "accounts.workspaces": "Workspaces: isolated sets of customers, devices and campaigns.",
}
"""What an overview says of each group, its own help, by its folder and its name."""

_NOT_WRITTEN = Ending(
    ExitCode.FAILURE, "The output can not be written: its disk is full, or fails.", word="output"
)
_ABOUT_HYPHENS = (UnknownOptionError, MissingArgumentError, CombinedShortOptionError)
_HYPHEN_HINT = "A name that begins with - goes behind --, a value behind =, such as --user-id=-abc."


def _program() -> Commands:
    return Commands(
        name="clarion",
        help="Clarion: events in, campaigns out through Firebase Cloud Messaging, with an account "
        "that balances.",
        help_epilogue=f"{WORKSPACE_HELP}\n\n{EXIT_CODES_HELP}",
        help_format="markdown",
        version=__version__,
        console=console,
        error_console=errors,
    )


commands = _program()
_overview = _program()
"""The same commands with nothing but what is said of each: to list them, none is loaded."""

# Named by path: a command loads only what it needs.
for _name, (_function, _words) in _VERBS.items():
    commands.command(f"clarion.cli.{_function}", name=_name)
    _overview.command(f"clarion.cli.{_function}", name=_name, help=_words)
for _place, _words in _GROUPS.items():
    _module, _name = _place.replace("-", "_"), _place.partition(".")[2]
    commands.command(f"clarion.cli.{_module}:commands", name=_name, group="Groups")
    _overview.command(f"clarion.cli.{_module}:commands", name=_name, group="Groups", help=_words)


def run(tokens: Sequence[str]) -> int:
    """Run one command; returns its exit code."""
    as_json = "--json" in tokens
    before = chosen_workspace.set(None)
    try:
        tokens, workspace = without_workspace([_as_text(token) for token in tokens])
        chosen_workspace.set(workspace)
        is_overview = not tokens or (len(tokens) == 1 and tokens[0] in commands.help_flags)
        program = _overview if is_overview else commands
        _load_what_help_shows(tokens)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result: Any = runner.run(
                program.run_async(
                    list(tokens),
                    exit_on_error=False,
                    print_error=not as_json,
                    result_action="return_value",
                )
            )
        return result if isinstance(result, int) else ExitCode.OK
    except CycloptsError as error:
        hint = _HYPHEN_HINT if isinstance(error, _ABOUT_HYPHENS) and _has_hyphen(tokens) else ""
        if as_json:
            message = " ".join(part for part in (str(error), hint) if part)
            print_ending(Ending(ExitCode.USAGE, message, word="usage"), as_json=True)
        elif hint:
            errors.print(hint, style="dim", highlight=False)
        return ExitCode.USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return end_of(error, as_json=as_json)
    finally:
        chosen_workspace.reset(before)


def end_of(error: Exception, *, as_json: bool) -> int:
    """Say how a command ended; returns its exit code. Raises what is a defect of ours."""
    if isinstance(error, BrokenPipeError):
        # Whoever reads has seen enough; nothing is to be told of that at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    ending = error if isinstance(error, Ending) else _as_ending(error)
    if ending is None:
        raise error
    if ending is _NOT_WRITTEN:
        # What is left to be written would fail again, when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    print_ending(ending, as_json=as_json)
    return ending.code


def _as_text(token: str) -> str:
    """An argument as it was typed. Where the locale is plain C, Python takes what is UTF-8 for
    bytes. Ends the command where it is no text: it could be neither stored nor shown."""
    try:
        return token.encode(errors="surrogateescape").decode()
    except UnicodeError:
        raise Ending(
            ExitCode.USAGE, f"The argument {token} is not in UTF-8: write it so.", word="usage"
        ) from None


def _has_hyphen(tokens: Sequence[str]) -> bool:
    """Whether something may have been taken for an option that was meant as a text."""
    return any(token.startswith("-") and not token.startswith("--") for token in tokens)


def _load_what_help_shows(tokens: Sequence[str]) -> None:
    """Commands are loaded when they run; help about several shows each one's own words."""
    if len(tokens) > 1 and tokens[0] in commands.help_flags:
        commands.resolved_commands()
        return
    group, asked = tokens[:1], tokens[1:2]
    if (
        group
        and any(place.endswith(f".{group[0]}") for place in _GROUPS)
        and (not asked or asked[0] in commands.help_flags)
    ):
        commands[group[0]].resolved_commands()


def _as_ending(error: Exception) -> Ending | None:
    """What failed for want of something outside; None: a defect of ours, to be seen whole."""
    from clarion.broker import BrokerUnavailable
    from clarion.cli.installation.first_start import NoInstallation, NotMigrated
    from clarion.storage.database import StorageUnavailable, is_other_schema
    from clarion.storage.migrate import ForeignSchema
    from clarion.storage.vault import VaultLocked

    match error:
        case _ if is_other_schema(error):
            words = str(getattr(error, "orig", None) or error).splitlines()[0]
            return Ending(ExitCode.FAILURE, _not_ours(words), word="foreign_database")
        case StorageUnavailable() | BrokerUnavailable():
            what = "database" if isinstance(error, StorageUnavailable) else "broker"
            words = f"The {what} does not answer ({error}). `clarion check` says at which address."
            if error.cure:
                words = f"The {what} can not be used: {str(error).rstrip('.')}. {error.cure}"
            return Ending(ExitCode.UNAVAILABLE, words, word="unavailable")
        case NotMigrated():
            return Ending(
                ExitCode.FAILURE,
                "The database is not at this version: run `clarion migrate` first.",
                word="not_migrated",
            )
        case NoInstallation():
            return Ending(
                ExitCode.NOT_FOUND,
                f"There is no Clarion here: {error}. Go to the directory in which it runs, or name "
                "its data with CLARION_DATA_DIR or CLARION_DATABASE_URL. `clarion serve` and "
                "`clarion migrate` make a new one.",
                word="no_installation",
            )
        case ForeignSchema():
            return Ending(ExitCode.FAILURE, _not_ours(f"{error}"), word="foreign_database")
        case VaultLocked():
            return Ending(
                ExitCode.FAILURE,
                "What is sealed was sealed with another key: set CLARION_SECRET_KEY to it, or add "
                "it to CLARION_FORMER_SECRET_KEYS (`clarion secrets check` tells more).",
                word="vault_locked",
            )
        case OSError(filename=str() | Path() as file):  # say a data directory that is another's
            what = f"{file} can not be used: {error.strerror}."
            return Ending(ExitCode.FAILURE, what, word="file")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EIO):
            return _NOT_WRITTEN
        case _:
            return None


def _not_ours(why: str) -> str:
    return (
        f"The database answers, but is not of this version of Clarion: {why}. Name Clarion's own "
        "with CLARION_DATABASE_URL, or run the version that made it."
    )
