"""Which workspace a command works in, as it was said on its command line."""

from collections.abc import Sequence
from contextvars import ContextVar

from clarion.cli.output import Ending, ExitCode

WORKSPACE = "CLARION_WORKSPACE"
WORKSPACE_OPTION = "--workspace"
WORKSPACE_HELP = (
    "Every command takes `--workspace NAME|ID`: the workspace to work in. Without it, that of "
    "CLARION_WORKSPACE; without that, the oldest."
)

chosen_workspace: ContextVar[str | None] = ContextVar("chosen_workspace", default=None)
"""A name or an id; None: none was said."""


def without_workspace(tokens: Sequence[str]) -> tuple[list[str], str | None]:
    """The tokens without `--workspace NAME`, which may stand anywhere in any command, and the
    name; None: there is none. Ends the command where the option has no value."""
    rest: list[str] = []
    workspace = None
    waiting = list(tokens)
    while waiting and waiting[0] != "--":
        word = waiting.pop(0)
        name, equals, value = word.partition("=")
        if name != WORKSPACE_OPTION:
            rest.append(word)
            continue
        if not equals and waiting and not waiting[0].startswith("--"):
            value = waiting.pop(0)
        if not value:
            message = f"{WORKSPACE_OPTION} needs the id or the name of a workspace."
            raise Ending(ExitCode.USAGE, message, word="usage")
        workspace = value
    return [*rest, *waiting], workspace
