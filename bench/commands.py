"""How soon a command answers, and what it costs: in its own process, and against a server."""

import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from time import monotonic

from bench.installation import Store, install
from bench.process import clarion

COMMANDS: Mapping[str, Sequence[str]] = {
    "clarion --help": ("--help",),
    "clarion customers --help": ("customers", "--help"),
    "clarion customers show": ("customers", "show", "nobody"),
    "clarion sources list": ("sources", "list"),
    "clarion campaigns list": ("campaigns", "list"),
}
NOT_FOUND = 3


async def measure(store: Store, times: int) -> dict[str, dict[str, str]]:
    """Each command, `times` here and there in turn: the middle of CPU and of time passed."""
    installation = await install(store, {})
    here = {**os.environ, **installation.environment}
    key = json.loads(_output(here, "keys", "create", "bench", "--scope", "admin", "--json"))["key"]
    results: dict[str, dict[str, str]] = {}
    with clarion(["serve"], installation.environment, store.directory / "commands.log") as (url, _):
        there = {**os.environ, "CLARION_URL": url, "CLARION_API_KEY": key}
        for name, tokens in COMMANDS.items():
            runs: dict[str, list[tuple[float, float]]] = {"in process": [], "over HTTP": []}
            for _ in range(times):
                runs["in process"].append(_run(here, tokens))
                runs["over HTTP"].append(_run(there, tokens))
            results[name] = {}
            for way, measured in runs.items():
                cpu = statistics.median(used for used, _ in measured)
                passed = statistics.median(seconds for _, seconds in measured)
                results[name] |= {
                    f"{way}, CPU": f"{cpu:.2f} s",
                    f"{way}, passed": f"{passed:.2f} s",
                }
    return results


def _run(environment: Mapping[str, str], tokens: Sequence[str]) -> tuple[float, float]:
    """Seconds of CPU, of user and system, and seconds passed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
    _output(environment, *tokens)
    after, passed = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic() - began
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return used, passed


def _output(environment: Mapping[str, str], *tokens: str) -> str:
    command = [sys.executable, "-m", "clarion.cli", *tokens]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, NOT_FOUND):
        raise RuntimeError(done.stderr)
    return done.stdout
