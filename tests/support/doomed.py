"""A process to be killed: `python -m support.doomed URL LEASE_SECONDS`.

It publishes `first` and `second`, takes one of them, says which, and waits for its end.
"""

import asyncio
import sys

from clarion.broker import JobKind, NewJob
from support.brokers import open_broker


async def main(url: str, lease_seconds: float) -> None:
    broker, _ = await open_broker(url)
    await broker.publish(
        NewJob(kind=JobKind.CHUNK, payload=b"first"), NewJob(kind=JobKind.CHUNK, payload=b"second")
    )
    [lease] = await broker.fetch(
        JobKind.CHUNK, limit=1, wait_seconds=10, lease_seconds=lease_seconds
    )
    print(lease.payload.decode(), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
