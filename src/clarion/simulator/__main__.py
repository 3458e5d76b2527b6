"""`python -m clarion.simulator HOST PORT DATA_DIR`: the simulator as a process of its own."""

import asyncio
import sys
from pathlib import Path

import uvloop

from clarion.simulator.serving import serve


def main() -> None:
    host, port, data_dir = sys.argv[1:4]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(host, int(port), Path(data_dir)))


if __name__ == "__main__":
    main()
