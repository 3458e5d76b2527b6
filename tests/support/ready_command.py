"""A `clarion` for shells that start many commands: one process loads Clarion once, and each command
is a fork of it. To load is most of a short command's time.

A command has a process, an environment, a directory, a umask, streams and an exit code of its own,
as any other. In a shell what serves (`LONG`) is started as it always is; in a soak, so is
everything.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from support.patience import PATIENCE

LONG = ("serve", "run", "demo", "simulator --listen")
PLACE = "READY_COMMAND"
"""The variable of the environment that names the socket."""
_LOADED = b"loaded\n"
_MESSAGE_BYTES_MAX = 1 << 20


@contextmanager
def ready_command(directory: Path) -> Iterator[dict[str, str]]:
    """What is to be in a shell's environment, with a `clarion` in its PATH."""
    bin_ = directory / "bin"
    bin_.mkdir()
    script = bin_ / "clarion"
    script.write_text(f"#!{sys.executable} -IS\n{_CLIENT.replace('SERVED', repr(LONG))}")
    script.chmod(0o755)
    place = str(directory / "socket")
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "support.ready_command", place],
        stdout=subprocess.PIPE,
        env=_environment(),
    )
    try:
        assert server.stdout is not None and server.stdout.readline() == _LOADED
        yield {"PATH": f"{bin_}:{Path(sys.executable).parent}:{os.environ['PATH']}", PLACE: place}
    finally:
        server.kill()
        server.wait(PATIENCE)


@contextmanager
def forked(
    place: str, tokens: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> Iterator[TextIO]:
    """A command that runs until the block ends, and is killed then: what it prints."""
    read, write = os.pipe()
    with (
        os.fdopen(read) as printed,
        Path(os.devnull).open("r+") as nothing,
        socket.socket(socket.AF_UNIX) as near,
    ):
        near.connect(place)
        message = [list(tokens), str(directory), dict(environment), 0o077]
        streams = [nothing.fileno(), write, nothing.fileno()]
        socket.send_fds(near, [json.dumps(message).encode() + b"\n"], streams)
        os.close(write)
        answers = near.makefile("r")
        pid = int(answers.readline())
        try:
            yield printed
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            answers.readline()  # which ends when it has


def _environment() -> dict[str, str]:
    path = os.pathsep.join(str(folder) for folder in sys.path if folder)
    own = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    return own | {"PYTHONPATH": path}


_CLIENT = f"""
import json, os, signal, socket, sys
tokens = sys.argv[1:]
if " ".join(tokens).startswith(SERVED):
    os.execv(sys.executable, [sys.executable, "-m", "clarion.cli", *tokens])
umask = os.umask(0)
message = [tokens, os.getcwd(), dict(os.environ), umask]
with socket.socket(socket.AF_UNIX) as near:
    near.connect(os.environ[{PLACE!r}])
    socket.send_fds(near, [json.dumps(message).encode() + b"\\n"], [0, 1, 2])
    answers = near.makefile("r")
    pid = int(answers.readline())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(pid, number))
    code = answers.readline()
sys.exit(int(code) if code else 1)
"""


def _serve(place: str) -> None:
    """Load Clarion, and fork for each command that is asked for."""
    _load()
    assert threading.active_count() == 1, "a fork has one thread only"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever ends leaves nothing behind
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen(64)
        sys.stdout.buffer.write(_LOADED)
        sys.stdout.flush()
        while True:
            near, _ = door.accept()
            if os.fork() == 0:
                door.close()
                _become(near)
            near.close()


def _load() -> None:
    import aiosqlite  # noqa: F401
    import alembic.command  # noqa: F401
    import sqlalchemy.dialects.postgresql.asyncpg
    import sqlalchemy.dialects.sqlite.aiosqlite  # noqa: F401

    from clarion.cli.program import _GROUPS, commands

    commands.resolved_commands()
    for place in _GROUPS:
        commands[place.partition(".")[2]].resolved_commands()


def _become(near: socket.socket) -> None:
    """Run one command in this process, and tell its number and its exit code."""
    data, streams, _, _ = socket.recv_fds(near, _MESSAGE_BYTES_MAX, 3)
    while not data.endswith(b"\n"):
        data += near.recv(_MESSAGE_BYTES_MAX)
    tokens, directory, environment, umask = json.loads(data)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(directory)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["clarion", *tokens]
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    near.sendall(b"%d\n" % os.getpid())
    code = _code_of_command()
    near.sendall(b"%d\n" % code)
    os._exit(code)


def _code_of_command() -> int:
    """As an interpreter ends: what the threads and the streams still hold is waited for."""
    from clarion.cli import main

    code: Any = 1
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    shutdown: Any = threading._shutdown  # type: ignore[attr-defined]
    shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code or 0)


if __name__ == "__main__":
    _serve(sys.argv[1])
