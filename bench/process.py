"""Processes that are measured: each on a core of its own, with what it used."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

SERVER_CORE = 0
LOAD_CORE = 1
START_SECONDS = 60
SAMPLE_SECONDS = 0.25

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds of a process and all below it."""

    user: float
    system: float

    @property
    def total(self) -> float:
        return self.user + self.system

    def since(self, before: "Used") -> "Used":
        return Used(self.user - before.user, self.system - before.system)


class Memory:
    """Resident memory of a process, watched while it works, in MiB."""

    def __init__(self, pid: int) -> None:
        self.samples: list[float] = []
        self._pid = pid
        self._stop = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def told(self) -> dict[str, float]:
        """After the first tenth, in the middle, at the end, and the most."""
        count = len(self.samples)
        if not count:
            return {}
        at = {"10 %": count // 10, "50 %": count // 2, "100 %": count - 1}
        reached: dict[str, float] = {name: round(self.samples[k]) for name, k in at.items()}
        return {**reached, "most": round(max(self.samples))}

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.samples.append(resident_mib(self._pid))


def pin(core: int) -> None:
    """Keep this process, and those it starts, on one core."""
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})


def used(pid: int) -> Used:
    """What a process and its descendants have used until now."""
    user = system = 0.0
    for one in _family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        user += int(fields[11]) / _TICKS
        system += int(fields[12]) / _TICKS
    return Used(user, system)


def resident_mib(pid: int) -> float:
    try:
        match = re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())
    except FileNotFoundError:
        return 0.0
    return int(match.group(1)) / 1024 if match else 0.0


@contextmanager
def clarion(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[tuple[str, int]]:
    """A `clarion` process on the server's core: its address (if it listens) and its pid."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "clarion.cli", *arguments],
            env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=lambda: pin(SERVER_CORE),
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "listens on" in line:
                    yield line.split("listens on ")[1].split()[0], process.pid
                    break
            else:
                raise RuntimeError(
                    f"clarion ended with {process.wait()}:\n{log.read_text()[-2000:]}"
                )
        finally:
            process.terminate()
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _family(pid: int) -> list[int]:
    family = [pid]
    for parent in family:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except FileNotFoundError:
            continue
        family += [int(child) for child in children]
    return family
