"""The demo's apps: the real segment-analytics-python, clients and threads of its own.

Calls go into the SDK's own queue and are sent by its own batching thread; what it could not deliver
is an error of the demo.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from segment.analytics.client import Client

from clarion.cli.demo.world import Call, Verb
from clarion.customers.devices.device import Platform

CLIENTS = 2
"""For each platform: as many as two machines sending at once."""
QUEUE_MAX = 2_000
FULL_SECONDS = 0.02
UPLOAD_SECONDS = 0.1


class Players:
    """Clients for every platform's source. Their threads are daemons: nothing waits for them."""

    def __init__(self, url: str, write_keys: Mapping[Platform, str]) -> None:
        self.faults: list[str] = []
        self._played = 0
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        self._lock = threading.Lock()
        self._clients = {
            platform: [self._client(url, write_key, index) for index in range(CLIENTS)]
            for platform, write_key in write_keys.items()
        }

    @property
    def taken(self) -> int:
        """How many calls have left the clients' queues."""
        queued: int = sum(
            client.queue.qsize() for group in self._clients.values() for client in group
        )
        return max(0, self._played - queued)

    @property
    def is_playing(self) -> bool:
        """Whether calls are still to be made or delivered."""
        return any(thread.is_alive() for thread in self._threads)

    def start(self, calls: Sequence[Call]) -> None:
        """Begin to make `calls`, each through a client of its platform, in their order there."""
        for platform, clients in self._clients.items():
            ours = [call for call in calls if call.platform is platform]
            for index, client in enumerate(clients):
                part = ours[index::CLIENTS]
                thread = threading.Thread(target=self._play, args=(client, part), daemon=True)
                thread.start()
                self._threads.append(thread)

    def close(self) -> None:
        """Make no more calls."""
        self._is_closed = True
        for group in self._clients.values():
            for client in group:
                for consumer in client.consumers:
                    consumer.pause()

    def _client(self, url: str, write_key: str, index: int) -> Client:
        return Client(
            write_key=write_key,
            host=url,
            max_queue_size=QUEUE_MAX,
            upload_size=100,
            upload_interval=UPLOAD_SECONDS,
            gzip=index % 2 == 1,
            on_error=self._failed,
        )

    def _play(self, client: Client, calls: Sequence[Call]) -> None:
        for call in calls:
            while not _make(client, call):
                if self._is_closed:
                    return
                time.sleep(FULL_SECONDS)  # the SDK refuses what its queue can not hold
            with self._lock:
                self._played += 1
        client.flush()

    def _failed(self, error: Exception, batch: Sequence[Any]) -> None:
        self.faults.append(f"{len(batch)} calls were not delivered: {error}")


def _make(client: Client, call: Call) -> bool:
    """Make one call; False: the client's queue is full."""
    # The SDK changes what it is given, and a repeated call must be what it was.
    named: dict[str, Any] = {
        "timestamp": call.at,
        "message_id": call.message_id,
        "user_id": call.user_id,
        "anonymous_id": call.anonymous_id,
    }
    if client.queue.full():
        return False
    match call.verb:
        case Verb.TRACK:
            return bool(client.track(event=call.name, properties=dict(call.fields), **named)[0])
        case Verb.SCREEN:
            return bool(client.screen(name=call.name, properties=dict(call.fields), **named)[0])
        case Verb.IDENTIFY:
            return bool(client.identify(traits=dict(call.fields), **named)[0])
