"""The `clarion` command: what its process is, before anything of Clarion is loaded."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clarion.cli.program import commands, run

__all__ = ["commands", "main", "run"]

UMASK = 0o077
"""Whatever a process of ours writes (database, log, key, export) is for its owner alone."""
INTERRUPTED = 128 + signal.SIGINT


def main(tokens: Sequence[str] | None = None) -> None:
    """The entry point: runs one command and exits with its code.

    Ctrl-C ends the process without a word while it loads and while it ends; in between the command
    is cancelled in order.
    """
    os.umask(UMASK)
    open_standard_streams()
    is_interruptible = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # as under nohup
    if is_interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    command = _load_command(sys.argv[1:] if tokens is None else tokens)
    from clarion.cli.terminal import set_up_streams

    set_up_streams(sys.stdout, sys.stderr)
    try:
        if is_interruptible:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = command()
        if is_interruptible:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        code = INTERRUPTED
    if "granian" in sys.modules:  # this process has served the simulator
        from fcm_simulator.server.serving import end_process

        end_process(code)
    sys.exit(code)


def _load_command(tokens: Sequence[str]) -> Callable[[], int]:
    """What runs the command and returns its exit code. For the process of a role that is not all
    of the command line."""
    if tokens and tokens[0] == "run":
        load_structlog()
        from clarion.cli.installation import roles

        process = roles.read_process(tokens)
        if process is not None:
            return process
    from clarion.cli.program import run

    return partial(run, tokens)


def load_structlog() -> None:
    """Load structlog as if rich were not installed. It would load all of rich for tracebacks with
    local variables, which are never shown: tokens are among them."""
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog  # noqa: F401

    del sys.modules["rich"]


def open_standard_streams() -> None:
    """Where a process was started with one of its three streams closed, the next file to be opened
    would take its number: a database would get what is printed, and uvloop aborts."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)
            os.dup2(descriptor, number)  # and processes of ours inherit it
            if descriptor > number:
                os.close(descriptor)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def __getattr__(name: str) -> Any:
    """`commands` and `run`, loaded when they are asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from clarion.cli import program

    return getattr(program, name)
