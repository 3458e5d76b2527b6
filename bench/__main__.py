"""`python -m bench [PART…] [--quick] [--only sqlite]`: see `bench`."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import (
    audiences,
    campaign,
    collector,
    commands,
    ingestion,
    machine,
    peers,
    quota,
    results,
    static,
    transactional,
)
from bench import console as pages
from bench.installation import STORES, store
from bench.process import LOAD_CORE, pin
from bench.report import written

PARTS = (
    "collector", "ingestion", "audiences", "campaign", "sizes", "transactional", "quota",
    "commands", "console",
)  # fmt: skip
BY_ITSELF = frozenset({"audiences", "commands", "console"})
"""They need none of `NEEDED`."""
SIZES = (10_000, 200_000, 1_000_000)
"""Devices of a campaign: a push must cost the same however many there are."""
NEEDED = {"nginx": "nginx-light", "h2load": "nghttp2-client", "wrk": "wrk"}
console = Console()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Clarion's speed.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", choices=STORES, help="one store instead of both")
    wanted = parser.parse_args()
    unknown = set(wanted.parts) - set(PARTS)
    if unknown:
        parser.error(f"{unknown.pop()} is no part; there are {', '.join(PARTS)}")
    needed = NEEDED if set(wanted.parts or PARTS) - BY_ITSELF else ()
    missing = [name for name in needed if shutil.which(name, path=_path()) is None]
    if missing:
        packages = " ".join(NEEDED[name] for name in missing)
        console.print(f"{', '.join(missing)} is missing: apt-get install {packages}")
        return 1
    parts = asyncio.run(_measure(wanted.parts or PARTS, wanted.only, 10 if wanted.quick else 1))
    console.print(written(parts), highlight=False, markup=False)
    if wanted.quick or wanted.only is not None:
        console.print("Not kept: it is a part of a run. Without --quick and --only it is.")
        return 0
    for file in results.keep(parts):
        console.print(f"Written: {file}", highlight=False)
    return 0


async def _measure(parts: Any, only: str | None, divisor: int) -> dict[str, results.Part]:
    pin(LOAD_CORE)  # the load's core is ours; servers are started on the other
    at = datetime.now(UTC).isoformat(timespec="seconds")
    facts = machine.facts()
    measured: dict[str, Any] = {part: {} for part in parts}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with (
        tempfile.TemporaryDirectory(prefix="clarion-bench-") as directory,
        Progress(*columns, console=console, disable=not sys.stdout.isatty()) as progress,
    ):
        root = Path(directory)
        os.chmod(directory, 0o755)  # noqa: PTH101 - the database's server is another user
        for name in STORES if only is None else (only,):
            with store(name, root / name) as rows:
                if "collector" in parts:
                    measured["collector"][name] = await collector.measure(rows, 20 // divisor)
                if "ingestion" in parts:
                    count = (1_000_000 if name == "sqlite" else 200_000) // divisor
                    measured["ingestion"][name] = await ingestion.measure(rows, count, progress)
                    measured["ingestion"][f"{name}, steady"] = await ingestion.measure(
                        rows, 200_000 // divisor, progress, is_steady=True
                    )
                if "audiences" in parts:
                    measured["audiences"][name] = await audiences.measure(
                        rows, (200_000 if name == "sqlite" else 1_000_000) // divisor
                    )
                if "campaign" in parts:
                    count = 200_000 // divisor
                    with static.serving(root / "nginx") as server:
                        measured["campaign"][name] = await campaign.measure(
                            rows, server, count, campaign.CONTENT, progress
                        )
                        measured["campaign"][f"{name}, with Liquid"] = await campaign.measure(
                            rows, server, count, campaign.LIQUID, progress
                        )
                if "sizes" in parts:
                    with static.serving(root / "nginx") as server:
                        for size in SIZES:
                            count = size // divisor
                            row = await campaign.measure(
                                rows, server, count, campaign.CONTENT, progress
                            )
                            measured["sizes"][f"{name}, {count:,}"] = row
                if "transactional" in parts:
                    with static.serving(root / "nginx") as server:
                        measured["transactional"][name] = await transactional.measure(
                            rows, server, 100_000 // divisor, progress
                        )
                if "quota" in parts:
                    minutes = max(1, 3 // divisor)
                    measured["quota"][name] = await quota.measure(
                        rows, root / f"simulator-{name}", minutes, progress
                    )
                if "commands" in parts and name == "sqlite":
                    measured["commands"] = await commands.measure(rows, max(1, 20 // divisor))
                if "console" in parts and name == "sqlite":
                    measured["console"] = await pages.measure(
                        rows, 100_000 // divisor, 10_000 // divisor, 1_000_000 // divisor, progress
                    )
        if "campaign" in parts:
            with static.serving(root / "nginx") as server:
                measured["campaign"] |= peers.measure(server, 5_000 // divisor, 200_000 // divisor)
        facts["turns of the loop, at the end"] = f"{machine.loop_ms():.0f} ms"
    return {name: results.Part(at, facts, columns) for name, columns in measured.items()}


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin"


if __name__ == "__main__":
    sys.exit(main())
