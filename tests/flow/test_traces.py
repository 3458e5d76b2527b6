"""One trace from an event to a push, and nothing of it where nobody records."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from clarion import tracing
from clarion.broker import JobKind
from clarion.deliveries.apps.store import put_app
from clarion.providers.fcm.client import GOOGLE, FcmProvider
from clarion.storage.database import Database
from clarion.telemetry import _with_trace
from fcm_simulator.process import SimulatorProcess
from support.api import Service
from support.book import WORKSPACE
from support.clock import FakeClock
from support.world import APP

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = f"00-{TRACE}-00f067aa0ba902b7-01"
UNSAMPLED = f"00-{TRACE}-00f067aa0ba902b7-00"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """What is recorded, every trace of it."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracing.record(provider)
    yield memory
    tracing.record(None)
    provider.shutdown()


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


def trace_of(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


def tree(exporter: InMemorySpanExporter, trace: str) -> list[tuple[str | None, str]]:
    """(name of the parent, name) of the spans of a trace; None: it has no parent here."""
    spans = [span for span in exporter.get_finished_spans() if trace_of(span) == trace]
    names = {span.context.span_id: span.name for span in spans}
    pairs = [(span.parent and names.get(span.parent.span_id), span.name) for span in spans]
    return sorted(pairs, key=lambda pair: (pair[0] or "", pair[1]))


async def write_key(service: Service) -> str:
    [source] = (await service.get("/sources"))["data"]
    return str(source["write_key"])


async def test_a_call_to_the_collector_and_what_is_made_of_it_are_one_trace(
    service: Service, exporter: InMemorySpanExporter
) -> None:
    key = await write_key(service)
    exporter.clear()
    seen = {"type": "track", "event": "Seen", "userId": "ada", "messageId": "seen"}
    await service.try_to_send(key, seen, headers={"traceparent": CALLER})
    assert tree(exporter, TRACE) == [(None, "POST /v1"), ("POST /v1", "events.ingest")]


async def test_a_push_that_is_asked_for_is_one_trace_down_to_fcms_call(
    service: Service, exporter: InMemorySpanExporter, tmp_path: Path
) -> None:
    async with SimulatorProcess(tmp_path / "fcm") as simulator:
        ca_file = str(simulator.ca_file)
        provider = FcmProvider(simulator.base_url, ca_file, service.clock)
        sealed = service.world.vault.seal(msgspec.json.encode(simulator.key("demo")))
        async with service.database.write() as connection:
            await put_app(
                connection,
                workspace_id=WORKSPACE,
                app_id=APP,
                project_id="demo",
                client_email="sender@demo.example",
                private_key_id="1",
                sealed_key=sealed,
                now=service.clock.now(),
            )
        service.world.make_agents(provider)
        await service.world.devices("token-of-a-device-000001", user="ada")
        exporter.clear()
        body = {"user_id": "ada", "content": {"title": "Hello"}}
        headers = {"traceparent": CALLER}
        pushed = await service.ask("POST", "/pushes", body, headers=headers)
        assert pushed.status == 201
        assert await service.world.sender.step(JobKind.PUSH) == 1
        report = await service.get(f"/launches/{pushed.json['id']}")
        await provider.close()
        told = await simulator.stats()
    assert report["accepted"] == 1
    assert told["traces"] == {TRACE: 1}, "whoever stands in Google's place can go on with it"
    assert tree(exporter, TRACE) == [
        (None, "POST /api"),
        ("POST /api", "chunk.send"),
        ("POST /api", "chunk.settle"),
        ("chunk.send", "fcm.send"),
    ]


async def test_google_is_told_no_trace(clock: FakeClock, exporter: InMemorySpanExporter) -> None:
    """The simulator can not stand at Google's address: what would be sent there is looked at."""
    for address, is_told in ((GOOGLE, False), (f"{GOOGLE}/", False), ("https://gate.test", True)):
        provider = FcmProvider(address, None, clock)
        with tracing.span("fcm.send", CALLER):
            headers = provider._headers_for(APP, "token")
        assert any(header.startswith("traceparent: ") for header in headers) is is_told
        with tracing.span("fcm.send", UNSAMPLED):
            assert len(provider._headers_for(APP, "token")) == 2
        await provider.close()


async def test_a_campaign_is_one_trace_with_a_span_a_page_and_a_chunk_and_none_a_push(
    service: Service, exporter: InMemorySpanExporter
) -> None:
    await service.world.devices(*(f"ok-{number}" for number in range(12)))
    exporter.clear()
    await service.world.settle(await service.world.campaign())
    spans = exporter.get_finished_spans()
    assert len({trace_of(span) for span in spans}) == 1
    names = [span.name for span in spans]
    assert names.count("campaign.launch") == 1
    assert names.count("launch.plan") == 3, "12 devices in pages of 5"
    # Chunks of two in pages of five; each holds several pushes.
    assert names.count("chunk.send") < 12
    sent = [span.attributes or {} for span in spans if span.name == "chunk.send"]
    assert sum(int(str(attributes["pushes"])) for attributes in sent) == 12


async def test_no_attribute_holds_what_came_with_a_call(
    service: Service, exporter: InMemorySpanExporter
) -> None:
    key = await write_key(service)
    secret = {"type": "identify", "userId": "ada@shop.example", "traits": {"phone": "0151"}}
    await service.try_to_send(key, secret, headers={"traceparent": CALLER})
    await service.ask("GET", "/customers/ada@shop.example")
    told = " ".join(span.to_json() for span in exporter.get_finished_spans())
    assert "POST /v1" in told
    for word in ("shop.example", "0151", key, service.key):
        assert word not in told


async def test_what_the_caller_does_not_sample_is_not_recorded(
    service: Service, exporter: InMemorySpanExporter
) -> None:
    key = await write_key(service)
    exporter.clear()
    seen = {"type": "track", "event": "Seen", "userId": "ada"}
    await service.try_to_send(key, seen, headers={"traceparent": UNSAMPLED})
    assert exporter.get_finished_spans() == ()


def test_a_launchs_trace_is_sampled_like_any_other(clock: FakeClock) -> None:
    """OTEL_TRACES_SAMPLER_ARG goes by the trace's id, which is made of the launch's."""
    memory = InMemorySpanExporter()
    sampler = ParentBased(TraceIdRatioBased(0.25))
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracing.record(provider)
    try:
        for _ in range(400):
            root = clock.new_id()
            for name in ("launch.plan", "chunk.send"):
                with tracing.span(name, root=root):
                    pass
    finally:
        tracing.record(None)
        provider.shutdown()
    names = [span.name for span in memory.get_finished_spans()]
    assert names.count("launch.plan") == names.count("chunk.send"), "whole traces, or nothing"
    assert 50 < names.count("launch.plan") < 150


async def test_without_the_extra_the_log_names_the_trace_all_the_same(service: Service) -> None:
    assert not tracing.is_recording()
    await service.world.devices("ok-1", user="ada")
    key = await write_key(service)
    processors = structlog.get_config()["processors"]
    entries: list[Any] = []

    def keep(_logger: Any, _method: str, event: Any) -> Any:
        entries.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[_with_trace, keep])
    try:
        seen = {"type": "track", "event": "Seen", "userId": "ada"}
        await service.try_to_send(key, seen, headers={"traceparent": CALLER})
        body = {"user_id": "ada", "content": {"title": "Hello"}}
        headers = {"traceparent": CALLER}
        await service.ask("POST", "/pushes", body, headers=headers)
        assert await service.world.sender.step(JobKind.PUSH) == 1
        await service.world.settle(await service.world.campaign())
    finally:
        structlog.configure(processors=processors)
    of_call = {entry["event"] for entry in entries if entry.get("trace") == TRACE}
    assert of_call == {"events_taken_in", "chunk_sent"}
    launched = [entry for entry in entries if entry["event"] == "campaign_launched"]
    of_launch = {entry["event"] for entry in entries if entry["trace"] == launched[0]["trace"]}
    assert of_launch == {"campaign_launched", "page_planned", "chunk_sent"}


@pytest.mark.parametrize(
    "header",
    ["", "00", CALLER.upper(), f"ff-{CALLER[3:]}", f"00-{'0' * 32}-00f067aa0ba902b7-01",
     f"00-{TRACE}-{'0' * 16}-01", f"{CALLER}\n", "é" * 55],
)  # fmt: skip
def test_a_header_that_is_none_is_no_trace(header: str) -> None:
    assert tracing.traceparent_in([(b"traceparent", header.encode())]) is None


def test_a_header_is_read_as_its_standard_says() -> None:
    for header in (CALLER, f"01-{CALLER[3:]}-more"):
        read = tracing.traceparent_in([(b"host", b"x"), (b"traceparent", header.encode())])
        assert read == CALLER


def test_without_an_address_nothing_of_opentelemetry_is_loaded() -> None:
    code = (
        "import sys; import clarion.app; from clarion import tracing; "
        "print(tracing.begin({})[1], [name for name in sys.modules if 'opentelemetry.sdk' in name])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "None []"


def test_without_the_extra_it_is_told_what_to_install(tmp_path: Path) -> None:
    """The extra's absence is a package of its name that can not be imported."""
    hidden = tmp_path / "opentelemetry"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ImportError('not installed')")
    code = (
        "from clarion import tracing; "
        "print(tracing.begin({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:4318'})[1])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert found.stdout.strip() == "install clarion[otel]"


def test_two_parts_of_one_launch_meet_in_one_trace_without_a_word_between_them() -> None:
    root = UUID(int=7)
    traces = []
    for _ in range(2):
        with tracing.span("chunk.send", root=root):
            traces.append(tracing.trace_of(tracing.current()))
    assert traces[0] == traces[1] is not None
    assert tracing.current() is None
