"""One trace from an event to a push, as W3C's `traceparent` carries it from hop to hop.

    call ─▶ job `events` ─▶ ingested
    call ─▶ push ─────────▶ its launch ─▶ chunk ─▶ FCM's call
    scheduler ────────────▶ a launch ───▶ pages, chunks ─▶ FCM's calls

A block of work is a span: `with span("chunk.send", parent, pushes=500):`. Where nobody records
(the extra `clarion[otel]` is not installed, or no OTEL_EXPORTER_OTLP_ENDPOINT is set) nothing of
OpenTelemetry is loaded, and a span only remembers whose it is, so that the log names the trace. A
span is a call, a page or a chunk, never a push. No attribute holds text of others: counts and our
own ids alone.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import Any
from uuid import UUID

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""OpenTelemetry's own variables: with one of them set, traces are recorded and sent there."""
SPANS_AT_ONCE = 100
"""Of one transaction at most: it may hold events of more calls."""
HEADER = b"traceparent"
_FORM = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_forced_trace: ContextVar[int | None] = ContextVar("forced_trace", default=None)
_tracer: Any = None


def traceparent_in(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """What a call's headers name as its trace; None: nothing, or nothing that can be."""
    for name, value in headers:
        if name == HEADER:
            match = _FORM.fullmatch(value[:200])
            if match is None or not (int(match[1], 16) and int(match[2], 16)):
                return None
            return f"00-{match[1].decode()}-{match[2].decode()}-{match[3].decode()}"
    return None


def current() -> str | None:
    """The `traceparent` of the block that runs, to be carried to the next hop."""
    return _current.get()


def recorded() -> str | None:
    """`current()`, where the block's span is recorded, for somebody who is not of ours."""
    traceparent = _current.get()
    return traceparent if _tracer and traceparent and traceparent.endswith("1") else None


def trace_of(traceparent: str | None) -> str | None:
    """The id of the trace alone, as the log names it."""
    return None if traceparent is None else traceparent[3:35]


def is_recording() -> bool:
    """Whether spans are recorded in this process."""
    return _tracer is not None


@contextmanager
def span(
    name: str, parent: str | None = None, *, root: UUID | None = None, **attributes: int | str
) -> Iterator[None]:
    """A block of work. It belongs to `parent`, else to the block around it, else to the trace of
    what has the id `root`: the same in every process, so that its parts meet there."""
    before = parent or _current.get()
    trace = None if before is not None or root is None else _trace_id(root)
    if _tracer is None:
        within = before if trace is None else f"00-{trace:032x}-{trace >> 64:016x}-00"
        token = _current.set(within)
        try:
            yield
        finally:
            _current.reset(token)
        return
    forced = _forced_trace.set(trace)
    started = _tracer.start_span(name, context=_context(before), attributes=attributes)
    _forced_trace.reset(forced)
    made = started.get_span_context()
    token = _current.set(f"00-{made.trace_id:032x}-{made.span_id:016x}-{int(made.trace_flags):02x}")
    try:
        yield
    except BaseException as error:
        _note(started, error)
        raise
    finally:
        _current.reset(token)
        started.end()


@contextmanager
def spans(name: str, parents: Iterable[str | None]) -> Iterator[None]:
    """A block of work that several traces share, such as one transaction: a span in each of them
    that is recorded, `SPANS_AT_ONCE` at most."""
    if _tracer is None:
        yield
        return
    recorded = [
        parent for parent in dict.fromkeys(parents) if parent is not None and parent.endswith("1")
    ]
    with ExitStack() as stack:
        for parent in recorded[:SPANS_AT_ONCE]:
            stack.enter_context(span(name, parent))
        yield


def begin(environment: Mapping[str, str] = os.environ) -> tuple[Callable[[], None], str | None]:
    """Record spans from now on, if the environment says where they are sent to. Returns what ends
    it and sends the last ones, which may take some seconds; and what is missing, if anything is."""
    if not any(environment.get(name) for name in ENDPOINTS):
        return _nothing, None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return _nothing, "install clarion[otel]"
    provider = TracerProvider(
        id_generator=_ids(),
        resource=Resource.create({"service.name": environment.get("OTEL_SERVICE_NAME", "clarion")}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    record(provider)

    def end() -> None:
        record(None)
        provider.shutdown()

    return end, None


def record(provider: Any) -> None:
    """Have the spans of this process made by an SDK's TracerProvider, whose ids are `_ids`'; None:
    by none."""
    global _tracer
    if provider is not None:
        provider.id_generator = _ids()
    _tracer = None if provider is None else provider.get_tracer("clarion")


def _nothing() -> None:
    """Nothing was begun."""


def _trace_id(root: UUID) -> int:
    """Any part of it is as good as random, which samplers take for granted."""
    return int.from_bytes(sha256(root.bytes).digest()[:16], "big") or 1


def _ids() -> Any:
    """An SDK's maker of ids, which takes the trace that `span` asks for."""
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            return _forced_trace.get() or super().generate_trace_id()

    return Ids()


def _context(traceparent: str | None) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        set_span_in_context,
    )

    if traceparent is None:
        return Context()
    _, trace, parent, flags = traceparent.split("-")
    span_context = SpanContext(
        trace_id=int(trace, 16),
        span_id=int(parent, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16) & 1),
    )
    return set_span_in_context(NonRecordingSpan(span_context), Context())


def _note(started: Any, error: BaseException) -> None:
    """That it failed, and by what kind of error: its words may hold what nobody should read."""
    from opentelemetry.trace import StatusCode

    started.set_status(StatusCode.ERROR, type(error).__name__)
