"""The `clarion` command as a process: on a terminal of its own, or in a pipe."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

from support.ready_command import started

COMMAND = [sys.executable, "-m", "clarion.cli"]
SECONDS_MAX = 60


def environment(home: Path, **more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    return own | {"CLARION_DATA_DIR": str(home / "data")} | more


def run(
    home: Path, *tokens: str, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """`more`: of the environment; what only a fresh interpreter reads of it gets one."""
    started_with = more or {}
    process = started(
        *tokens,
        real=any(name.startswith(("PYTHON", "LC_", "LANG")) for name in started_with),
        environment=environment(home, **started_with),
        directory=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, errors = process.communicate(timeout=SECONDS_MAX)
    return subprocess.CompletedProcess(tokens, process.wait(), out, errors)


def run_all(
    home: Path, *commands: Sequence[str], more: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """One command after the other in one process, which loads Clarion once. The last line that it
    prints is the list of their exit codes."""
    tokens = [token for command in commands for token in (*command, _NEXT)]
    return subprocess.run(
        [sys.executable, "-c", _RUN_ALL, *tokens],
        cwd=home,
        env=environment(home, **more),
        capture_output=True,
        timeout=SECONDS_MAX,
        check=False,
    )


_NEXT = "then"
_RUN_ALL = f"""
import sys
from clarion.cli import main

codes, command = [], []
for token in sys.argv[1:]:
    if token != {_NEXT!r}:
        command.append(token)
        continue
    try:
        main(command)
    except SystemExit as end:
        codes.append(int(end.code))
    command = []
print(codes)
"""


class Terminal:
    """A command on a terminal of its own."""

    def __init__(
        self, home: Path, tokens: Sequence[str], *, real: bool = False, columns: int = 300
    ) -> None:
        """`real`: from its interpreter on; `columns`: how wide it is."""
        ours, theirs = pty.openpty()
        self.process = started(
            *tokens,
            real=real,
            environment=environment(
                home, TERM="xterm", COLUMNS=str(columns), CLARION_LISTEN="127.0.0.1:0"
            ),
            directory=home,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            new_session=True,
        )
        os.close(theirs)
        self._ours = ours
        self.shown = b""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, words: bytes) -> None:
        """Read until it shows `words`."""
        latest = monotonic() + SECONDS_MAX
        while words not in self.shown:
            assert monotonic() < latest and self._read(), self.shown

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        os.close(self._ours)
        return self.process.wait(SECONDS_MAX)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], SECONDS_MAX)
        try:
            chunk = os.read(self._ours, 65_536) if ready else b""
        except OSError:  # how Linux says that the other side is closed
            chunk = b""
        self.shown += chunk
        return bool(chunk)
