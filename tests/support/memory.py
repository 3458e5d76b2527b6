"""Where tests keep their files: in memory, where the machine has room for it.

SQLite waits for the disk at every commit, and PostgreSQL copies a database for each test; both are
the system's work, not Clarion's. Whoever sets TMPDIR or `--basetemp` has the files there, to look
at them afterwards.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30
_PREFIX = "clarion-tests-"
_MADE = "TESTS_MADE"
"""Names what is to be removed, for the process that made it alone: those of pytest-xdist come by
its TMPDIR."""


def keep_files_in_memory() -> None:
    """From now on temporary files of this process, and of those that it starts, are there."""
    if "TMPDIR" in os.environ or not _has_room():
        return
    _remove_what_the_dead_left()
    made = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=MEMORY)
    Path(made).chmod(0o755)  # PostgreSQL runs as another user
    os.environ["TMPDIR"] = made
    os.environ[_MADE] = f"{os.getpid()}:{made}"
    tempfile.tempdir = None


def forget_files_in_memory() -> None:
    owner, _, made = os.environ.get(_MADE, "").partition(":")
    if owner == str(os.getpid()):
        shutil.rmtree(made, ignore_errors=True)
        del os.environ[_MADE], os.environ["TMPDIR"]
        tempfile.tempdir = None


def _remove_what_the_dead_left() -> None:
    """A run that was killed removes nothing. Its number is in the name."""
    for left in MEMORY.glob(f"{_PREFIX}*-*"):
        number = left.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdecimal() and not Path(f"/proc/{number}").exists():
            shutil.rmtree(left, ignore_errors=True)


def _has_room() -> bool:
    """Room for the files of all processes, and programs may be started there, as PostgreSQL's."""
    try:
        if shutil.disk_usage(MEMORY).free < ROOM_BYTES:
            return False
        with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
            script = Path(directory) / "script"
            script.write_text("#!/bin/sh\n")
            script.chmod(0o755)
            return subprocess.run([script], check=False).returncode == 0
    except OSError:
        return False
