"""`python -m clarion.simulator HOST PORT DATA_DIR [schema | basic]`: a process of its own."""

import asyncio
import sys
from pathlib import Path

import uvloop

from clarion.simulator.serving import serve

_SCHEMA = {"schema": True, "basic": False}


def main() -> None:
    host, port, data_dir = sys.argv[1:4]
    schema = _SCHEMA[sys.argv[4]] if len(sys.argv) > 4 else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(host, int(port), Path(data_dir), schema=schema))


if __name__ == "__main__":
    main()
