"""What a figure depends on: the machine and the versions."""

import os
import platform
import re
import sqlite3
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

PACKAGES = (
    "clarion", "asyncpg", "firebase-admin", "litestar", "msgspec", "pycurl", "sqlalchemy",
    "uvicorn", "uvloop",
)  # fmt: skip
PROGRAMS = {"nginx": ["nginx", "-v"], "h2load": ["h2load", "--version"], "wrk": ["wrk", "-v"]}
LOOPS = 1_000_000
SYNCS = 50


def facts() -> dict[str, str]:
    """The machine and the versions, as they stand in the results."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "4 KiB write + fdatasync, median": f"{_sync_ms():.2f} ms",
        f"{LOOPS:,} turns of a Python loop": f"{loop_ms():.0f} ms",
    } | {name: version(name) for name in PACKAGES} | {
        name: _program(command) for name, command in PROGRAMS.items()
    }  # fmt: skip


def loop_ms() -> float:
    """How fast the machine is just now: a fixed loop, in milliseconds."""
    began = perf_counter()
    total = 0
    for number in range(LOOPS):
        total += number * number % 7
    return (perf_counter() - began) * 1000


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text()
    match = re.search(r"model name\s*: (.+)", text)
    return match.group(1) if match else platform.processor()


def _sync_ms() -> float:
    times = []
    with tempfile.NamedTemporaryFile(dir=Path.cwd()) as file:
        for _ in range(SYNCS):
            began = perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times.append(perf_counter() - began)
    return median(times) * 1000


def _program(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    match = re.search(r"\d+\.\d+(\.\d+)?", ended.stdout + ended.stderr)
    return match.group(0) if match else "?"
