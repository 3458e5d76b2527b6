"""`clarion simulator`: the commands of `fcm-simulator`, where that is installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App as Commands
from cyclopts import Parameter

from clarion.cli.output import Ending, ExitCode, console, escape, print_done, print_json
from clarion.cli.session import load_settings

MISSING = (
    "The FCM simulator is not installed: pip install fcm-simulator, or, in a clone of Clarion, "
    "pip install ./simulator"
)
"""Says what is missing, with the cure."""


def is_installed() -> bool:
    """Whether the distribution `fcm-simulator` is here."""
    return find_spec("fcm_simulator") is not None


class Program:
    """How the simulator's commands are called, print and fail as a part of `clarion`."""

    command = "clarion simulator"
    data_dir_help = "CLARION_DATA_DIR"
    trust_help = "point\nCLARION_FCM_CA there and CLARION_FCM_URL to this address."

    def data_dir(self) -> Path:
        return load_settings().data_dir

    def print_line(self, text: str) -> None:
        console.print(escape(text), highlight=False, soft_wrap=True)

    def print_done(self, sentence: str) -> None:
        print_done(sentence)

    def print_json(self, document: Any) -> None:
        print_json(document)

    def failure(self, message: str, code: int) -> Exception:
        return Ending(ExitCode(code), message)


def _commands() -> Commands:
    if is_installed():
        from fcm_simulator.cli import make_commands

        return make_commands(Program(), name="simulator")
    missing = Commands(name="simulator", help=MISSING)
    missing.default(_say_what_is_missing)
    return missing


def _say_what_is_missing(
    *tokens: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)],
) -> None:
    raise Ending(ExitCode.FAILURE, MISSING, word="simulator_missing")


commands = _commands()
