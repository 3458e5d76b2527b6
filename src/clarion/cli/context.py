"""Which workspace a command works in, as it was said on its command line."""

from contextvars import ContextVar

WORKSPACE_OPTION = "--workspace"
WORKSPACE_HELP = (
    "Every command takes `--workspace NAME|ID`: the workspace to work in. Without it, that of "
    "CLARION_WORKSPACE; without that, the oldest."
)

chosen_workspace: ContextVar[str | None] = ContextVar("chosen_workspace", default=None)
"""A name or an id; None: none was said."""
