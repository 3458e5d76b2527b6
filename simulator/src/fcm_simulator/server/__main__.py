"""`python -m fcm_simulator.server OPTIONS`, which are JSON: a process of its own."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import uvloop

from fcm_simulator.server.serving import SimulatorOptions, serve


def main() -> None:
    os.umask(0o077)  # Clarion's data may be in the same directory
    options = msgspec.json.decode(sys.argv[1], type=SimulatorOptions, dec_hook=_path)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options))


def _path(kind: type[Path], value: str) -> Path:
    return kind(value)


if __name__ == "__main__":
    main()
