"""Processes of Clarion that begin with Clarion loaded: one process loads it, and each is a fork of
that. To load is most of a short command's time, and a second of CPU for each process.

Each has a process, an environment, a directory, a umask, streams and an exit code of its own, as
any other, and `kill -9` ends it as any other. What a test says of the start of an interpreter
(`real=True`) is started as it always is; in a soak, so is everything.
"""

import asyncio
import atexit
import ctypes
import json
import os
import runpy
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from support.patience import PATIENCE
from support.sampling import is_soak

COMMAND = "clarion.cli"
LONG = ("serve", "run", "demo", "simulator --listen")
"""In a shell these are started as they always are."""
PLACE = "READY_COMMAND"
"""The variable of the environment that names the socket."""
_LOADED = b"loaded\n"
_MESSAGE_BYTES_MAX = 1 << 20
_FILES_MAX = 1 << 16
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
"""Of linux/prctl.h."""


class Started:
    """A process, as `subprocess.Popen` shows one."""

    def __init__(
        self,
        module: str,
        tokens: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path | None = None,
        stdin: int | IO[Any] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        new_session: bool = False,
    ) -> None:
        """Each stream is `PIPE`, `DEVNULL`, a file, or None: this process's own; `stderr` may be
        `STDOUT`."""
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        self.returncode: int | None = None
        theirs: list[int] = []
        ours: list[int] = []
        for number, (name, asked) in enumerate(
            (("stdin", stdin), ("stdout", stdout), ("stderr", stderr))
        ):
            if asked == subprocess.PIPE:
                read, write = os.pipe()
                far, near = (read, write) if number == 0 else (write, read)
                setattr(self, name, os.fdopen(near, "wb" if number == 0 else "rb", buffering=0))
                ours.append(far)
            elif asked == subprocess.DEVNULL:
                far = os.open(os.devnull, os.O_RDWR)
                ours.append(far)
            elif asked == subprocess.STDOUT:
                far = theirs[1]
            elif asked is None:
                far = number
            else:
                far = asked if isinstance(asked, int) else asked.fileno()
            theirs.append(far)
        message = {
            "module": module,
            "tokens": list(tokens),
            "directory": str(directory or Path.cwd()),
            "environment": dict(environment),
            "umask": _umask(),
            "new_session": new_session,
        }
        self._near = socket.socket(socket.AF_UNIX)
        try:
            self._near.connect(_place())
            socket.send_fds(self._near, [json.dumps(message).encode() + b"\n"], theirs)
        finally:
            for far in ours:
                os.close(far)
        self._said = b""
        self._over: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self.pid = int(self._line() or 0)

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        if self.returncode is None and select.select([self._near], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = PATIENCE) -> int:
        """Its exit code, once it has ended. Raises TimeoutExpired."""
        if self.returncode is None:
            ready, _, _ = select.select([self._near], [], [], timeout)
            if not ready:
                raise subprocess.TimeoutExpired("clarion", timeout or 0)
            self.returncode = int(self._line())
            self._near.close()
        return self.returncode

    async def ended(self) -> int:
        """Its exit code, once it has ended; the loop goes on meanwhile. Several may wait."""
        loop = asyncio.get_running_loop()
        if self.returncode is None:
            if self._over is None or self._over[0] is not loop:
                self._over = (loop, asyncio.Event())
                loop.add_reader(self._near, self._over[1].set)
            await self._over[1].wait()
        if self.returncode is None:
            loop.remove_reader(self._near)
        return self.wait()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float = PATIENCE) -> tuple[bytes, bytes]:
        """What it still prints, to its end."""
        read: dict[str, bytes] = {"stdout": b"", "stderr": b""}

        def drain(name: str, stream: IO[bytes]) -> None:
            with stream:
                read[name] = b"".join(iter(lambda: stream.read(65_536), b""))

        streams = {"stdout": self.stdout, "stderr": self.stderr}
        threads = [
            threading.Thread(target=drain, args=(name, stream), daemon=True)
            for name, stream in streams.items()
            if stream is not None and not stream.closed
        ]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join(timeout)
        return read["stdout"], read["stderr"]

    def _line(self) -> bytes:
        while b"\n" not in self._said:
            part = self._near.recv(4096)
            assert part, "the process that forks has ended"
            self._said += part
        line, _, self._said = self._said.partition(b"\n")
        return line


Program = Started | subprocess.Popen[bytes]


async def end_of(program: Program) -> int:
    """Its exit code, once it has ended; the loop goes on meanwhile."""
    if isinstance(program, Started):
        return await program.ended()
    return await asyncio.to_thread(program.wait, PATIENCE)


async def reader_of(program: Program) -> asyncio.StreamReader:
    """What it prints, line by line."""
    assert program.stdout is not None
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, program.stdout)
    return reader


def started(*tokens: str, module: str = COMMAND, real: bool = False, **options: Any) -> Program:
    """`clarion …`, or another module with these arguments; options are those of `Started`. What the
    process is to have of a fresh interpreter asks for `real`."""
    if not real and not is_soak():
        return Started(module, tokens, **options)
    return subprocess.Popen(
        [sys.executable, "-m", module, *tokens],
        env=dict(options.pop("environment")),
        cwd=options.pop("directory", None),
        start_new_session=options.pop("new_session", False),
        bufsize=0,
        **options,
    )


@contextmanager
def ready_command(directory: Path) -> Iterator[dict[str, str]]:
    """What is to be in a shell's environment, with a `clarion` in its PATH that is forked."""
    bin_ = directory / "bin"
    bin_.mkdir(parents=True, exist_ok=True)
    script = bin_ / "clarion"
    script.write_text(f"#!{sys.executable} -IS\n{_CLIENT}")
    script.chmod(0o755)
    path = f"{bin_}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    yield {"PATH": path, PLACE: _place()}


@cache
def _place() -> str:
    """The socket of the process that forks: one for this process and its tests. It ends with us."""
    place = str(Path(tempfile.mkdtemp(prefix="clarion-ready-")) / "socket")
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "support.ready_command", place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_environment(),
    )
    assert server.stdin is not None and server.stdout is not None
    assert server.stdout.readline() == _LOADED
    atexit.register(_end, server, Path(place))
    return place


def _end(server: "subprocess.Popen[bytes]", place: Path) -> None:
    server.kill()
    server.wait(PATIENCE)
    shutil.rmtree(place.parent, ignore_errors=True)  # the tests' files may be gone already


def _environment() -> dict[str, str]:
    path = os.pathsep.join(str(folder) for folder in sys.path if folder)
    own = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    return own | {"PYTHONPATH": path}


def _umask() -> int:
    """This process's, which to ask for is otherwise to change."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022


_CLIENT = f"""
import json, os, signal, socket, sys
tokens = sys.argv[1:]
if " ".join(tokens).startswith({LONG!r}):
    os.execv(sys.executable, [sys.executable, "-m", {COMMAND!r}, *tokens])
message = {{
    "module": {COMMAND!r}, "tokens": tokens, "directory": os.getcwd(),
    "environment": dict(os.environ), "umask": os.umask(0), "new_session": False,
}}
with socket.socket(socket.AF_UNIX) as near:
    near.connect(os.environ[{PLACE!r}])
    socket.send_fds(near, [json.dumps(message).encode() + b"\\n"], [0, 1, 2])
    answers = near.makefile("r")
    pid = int(answers.readline())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(pid, number))
    code = int(answers.readline() or 1)
sys.exit(code if code >= 0 else 128 - code)
"""


def _serve(place: str) -> None:
    """Load Clarion, and fork for whatever is asked for, until our parent has ended."""
    _load()
    assert threading.active_count() == 1, "a fork has one thread only"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for those that are forked
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wakes = socket.socketpair()
    for end in (woken, wakes):
        end.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    waiting: dict[int, socket.socket] = {}
    with socket.socket(socket.AF_UNIX) as door, selectors.DefaultSelector() as selector:
        door.bind(place)
        door.listen(64)
        for source in (door, woken, sys.stdin):
            selector.register(source, selectors.EVENT_READ)
        sys.stdout.buffer.write(_LOADED)
        sys.stdout.flush()
        while True:
            for key, _ in selector.select():
                if key.fileobj is door:
                    near, _ = door.accept()
                    pid = os.fork()
                    if pid == 0:
                        _become(near)
                    waiting[pid] = near
                    _say(near, pid)
                elif key.fileobj is woken:
                    with suppress(BlockingIOError):
                        woken.recv(4096)
                    _tell_ends(waiting)
                else:
                    return


def _tell_ends(waiting: dict[int, socket.socket]) -> None:
    """Whoever asked for a process hears how it ended."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with waiting.pop(pid) as near:
                _say(near, os.waitstatus_to_exitcode(status))


def _say(near: socket.socket, number: int) -> None:
    with suppress(OSError):  # nobody waits for it
        near.sendall(b"%d\n" % number)


def _load() -> None:
    import aiosqlite  # noqa: F401
    import alembic.command  # noqa: F401
    import sqlalchemy.dialects.postgresql.asyncpg
    import sqlalchemy.dialects.sqlite.aiosqlite  # noqa: F401
    import uvicorn  # noqa: F401

    import support.station  # noqa: F401
    from clarion.cli.program import _GROUPS, commands

    commands.resolved_commands()
    for place in _GROUPS:
        commands[place.partition(".")[2]].resolved_commands()


def _become(near: socket.socket) -> None:
    """Be the process that was asked for. It ends with the one that forked it, and so with the
    tests, whether they have ended it or not."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    data, streams, _, _ = socket.recv_fds(near, _MESSAGE_BYTES_MAX, 3)
    while not data.endswith(b"\n"):
        data += near.recv(_MESSAGE_BYTES_MAX)
    asked = json.loads(data)
    if asked["new_session"]:
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, _FILES_MAX)
    os.chdir(asked["directory"])
    os.umask(asked["umask"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    os._exit(_code_of(asked["module"], asked["tokens"]))


def _code_of(module: str, tokens: Sequence[str]) -> int:
    """As an interpreter ends: what the threads and the streams still hold is waited for."""
    code: Any = 0
    try:
        if module == COMMAND:
            from clarion.cli import main

            sys.argv = ["clarion", *tokens]
            main()
        else:
            sys.argv = [module, *tokens]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    shutdown: Any = threading._shutdown  # type: ignore[attr-defined]
    shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    return int(code or 0)


if __name__ == "__main__":
    _serve(sys.argv[1])
