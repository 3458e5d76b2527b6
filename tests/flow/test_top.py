"""`clarion top` shows on one screen what processes say of themselves, added up."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from clarion.cli.installation.top import Snapshot, figures, look, rates, screen
from clarion.telemetry import Metrics
from support.command import Clarion, serving


def process(*, events: int, launches: int = 1, lag: float = 0.0) -> bytes:
    """What one process tells."""
    metrics = Metrics()
    metrics.events.labels("accepted").inc(events)
    metrics.under_way.launches.labels("sending").set(launches)
    metrics.connections.labels("idle").set(2)
    metrics.agents.begin("ingestor", leads=False)
    metrics.agents.worked("ingestor", datetime(2026, 3, 1, 12, tzinfo=UTC), lag)
    metrics.stopped_apps.labels("paused").set(float("nan"))
    return metrics.text()


@pytest.fixture
def telling() -> Iterator[tuple[list[str], dict[str, bytes]]]:
    """The addresses of two processes, and what each tells now."""
    texts: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(texts[self.path])

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        yield [f"{base}/one/metrics", f"{base}/two/metrics"], texts
        server.shutdown()


async def test_counters_add_up_and_what_all_see_alike_does_not(
    telling: tuple[list[str], dict[str, bytes]],
) -> None:
    addresses, texts = telling
    texts["/one/metrics"], texts["/two/metrics"] = process(events=10), process(events=5)
    before = await look(addresses, 100.0)
    texts["/one/metrics"] = process(events=30, lag=7.0)
    after = await look([*addresses, "http://127.0.0.1:1/metrics"], 102.0)
    shown = figures(before, after)
    assert shown["events_per_second"] == {"accepted": 10.0}
    assert shown["launches"] == {"sending": 1.0}
    assert shown["connections"] == {"idle": 4.0}
    assert shown["lag_seconds"] == {"ingestor": 7.0}
    assert shown["silent"] == ["http://127.0.0.1:1/metrics"]
    printed = Console(width=120, record=True)
    printed.print(screen(before, after, datetime(2026, 3, 1, 12, 5, tzinfo=UTC)))
    text = printed.export_text()
    assert "300 s ago" in text
    assert "no answer: http://127.0.0.1:1/metrics" in text


def test_a_process_that_began_anew_shows_no_negative_rate() -> None:
    name = "clarion_events_total"
    labels = (("outcome", "accepted"),)
    before = Snapshot(at=0.0, values={name: {labels: 500.0}})
    after = Snapshot(at=1.0, values={name: {labels: 3.0}})
    assert rates(before, after, name, "outcome") == {"accepted": 0.0}


def test_nobody_there_is_told(bare: Clarion) -> None:
    code, _, errors = bare("top", "http://127.0.0.1:1", "--once")
    assert (code, "Nobody tells metrics" in " ".join(errors.split())) == (4, True)
    assert bare("top", "ftp://x")[0] == 2


async def test_it_shows_a_clarion_that_runs(clarion: Clarion) -> None:
    def shown() -> tuple[dict[str, Any], str]:
        with serving(clarion.home) as (url, _, _process):
            asked = clarion("top", url, "--once", "--every", "0.2", "--json")[1]
            # Where no terminal reads it, it ends by itself.
            return json.loads(asked), clarion("top", url, "--every", "0.2")[1]

    figures_there, screen_there = await asyncio.to_thread(shown)
    assert figures_there["jobs"] == {"chunk": 0, "events": 0, "launch": 0, "push": 0}
    assert figures_there["launches"] == {"paused": 0, "planning": 0, "sending": 0}
    assert set(figures_there["pushes_waiting"]) == {"due", "later", "held", "leased"}
    assert sum(figures_there["connections"].values()) >= 1
    assert "ingestor" in screen_there
