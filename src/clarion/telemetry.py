"""What Clarion tells its operator: structured logs and a few metrics.

Logs go to standard error, one event a line: readable on a terminal, JSON otherwise. A registration
token, a key or a secret is never logged; `_masked` is the net below that rule, not the rule. Text
of others is logged as text: no control character of it reaches a terminal.
"""

import asyncio
import logging
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any, TextIO

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.process_collector import ProcessCollector

from clarion.text import visible, without_passwords
from clarion.tracing import current, trace_of

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("console", "json")
METRICS_TYPE = CONTENT_TYPE_LATEST
AGENT_FAILURES = ("unavailable", "defect")
"""Why a step of an agent failed: what it needs is away, or nobody expected it."""

CHUNK_STEPS = ("claim", "settle")
"""The transactions in the life of a chunk."""

_SECRET_NAMES = frozenset(
    {"token", "fcmtoken", "fcm_token", "private_key", "secret", "secret_key", "authorization",
     "write_key", "api_key", "password"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    level: str = "info"
    form: str | None = None
    """None: console on a terminal, JSON otherwise."""


def set_up_logs(options: LogOptions) -> None:
    """Send structlog's events and the libraries' own logs to standard error, in one form."""
    level = getattr(logging, options.level.upper())
    is_console = options.form == "console" or (options.form is None and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _masked,
    ]
    ending: list[structlog.typing.Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # Plain: a richer one shows local variables, and tokens are among them.
                exception_formatter=_plain_traceback,
            )
        ]
        if is_console
        else [
            structlog.processors.format_exc_info,
            _masked,  # what an error says of an address
            structlog.processors.JSONRenderer(),
        ]
    )
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_is_no_stop)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries speak up only for what an operator can act on, unless all is asked for.
    root.setLevel(level if level <= logging.DEBUG else max(level, logging.WARNING))


class AgentMetrics:
    """What the agents of one process do."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.steps = Counter(
            "clarion_agent_steps",
            "Steps of an agent of this process that worked, those that found nothing to do too.",
            ["agent"],
            registry=registry,
        )
        self.failures = Counter(
            "clarion_agent_failures",
            "Steps of an agent that failed: unavailable, as the database or the broker is away; "
            "defect, as it met what nobody expected.",
            ["agent", "failure"],
            registry=registry,
        )
        self.restarts = Counter(
            "clarion_agent_restarts",
            "How often an agent met what nobody expected, and began again from the rows.",
            ["agent"],
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "clarion_agent_lag_seconds",
            "How long what the agent's last step worked on had waited by then; 0 where nothing "
            "waited.",
            ["agent"],
            registry=registry,
        )
        self.last_success = Gauge(
            "clarion_agent_last_success_timestamp_seconds",
            "When a step of the agent last worked, as Unix time; 0 before the first. Of an agent "
            "that only one process may run, it stands still in the others: take the largest.",
            ["agent"],
            registry=registry,
        )
        self.leads = Gauge(
            "clarion_agent_leads",
            "1 in the process that runs an agent of which only one may work at a time, 0 in those "
            "that stand by.",
            ["agent"],
            registry=registry,
        )

    def begin(self, agent: str, *, leads: bool) -> None:
        """Show an agent from its start on: what has not happened yet is a 0, not missing. `leads`:
        only one process may run it."""
        self.steps.labels(agent)
        self.restarts.labels(agent)
        for failure in AGENT_FAILURES:
            self.failures.labels(agent, failure)
        self.last_success.labels(agent)
        if leads:
            self.leads.labels(agent)

    def worked(self, agent: str, now: datetime, lag_seconds: float | None) -> None:
        """A step has worked."""
        self.steps.labels(agent).inc()
        self.last_success.labels(agent).set(now.timestamp())
        if lag_seconds is not None:
            self.lag_seconds.labels(agent).set(lag_seconds)


class UnderWayMetrics:
    """What is under way in all workspaces, as every process sees it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.launches = Gauge(
            "clarion_launches",
            "Launches under way, of all workspaces.",
            ["state"],
            registry=registry,
        )
        self.oldest_job_seconds = Gauge(
            "clarion_oldest_job_seconds",
            "How long the job that is due for longest has waited; 0: none waits. With NATS one "
            "that is worked on is counted, too.",
            ["kind"],
            registry=registry,
        )
        self.registrations = Gauge(
            "clarion_registrations",
            "Devices that can be reached, of all workspaces, by how long ago their app registered "
            "them: fresh, due (30 days), stale (removed by the next sweep). Counted by the sweeper "
            "that leads, each time that it works.",
            ["freshness"],
            registry=registry,
        )
        self.pushes_waiting = Gauge(
            "clarion_pushes_waiting",
            "Pushes that are planned and not settled: due; for later, by a spread or as they are "
            "tried again; held for a person; leased by a sender.",
            ["waiting"],
            registry=registry,
        )
        self.retries_waiting = Gauge(
            "clarion_retries_waiting",
            "Those of the waiting pushes that a sender has had before: FCM could not take them, or "
            "the pace, a 429 or a stop did not let them leave.",
            registry=registry,
        )
        self.oldest_push_seconds = Gauge(
            "clarion_oldest_push_seconds",
            "How long the push that is due for longest has waited for a sender; 0: none is due.",
            registry=registry,
        )


class SendingMetrics:
    """How fast pushes may leave, and what a chunk costs beside FCM's answers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.chunk_seconds = Histogram(
            "clarion_chunk_seconds",
            "How long a sender took to claim a chunk, and to write down what became of it: the "
            "transaction alone, and waiting for a database that was away.",
            ["step"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self.pace = Gauge(
            "clarion_fcm_pushes_per_second",
            "How fast pushes may leave for a Firebase project: pace, as it is now, after the ramp "
            "and what 429 has taught; quota, what FCM allows it. Of the 200 that sent last.",
            ["project", "rate"],
            registry=registry,
        )
        self.quiet_seconds = Gauge(
            "clarion_fcm_quiet_seconds",
            "How long nothing will leave for a Firebase project, since FCM has answered 429 and "
            "asked for it; 0: pushes may leave.",
            ["project"],
            registry=registry,
        )
        for step in CHUNK_STEPS:
            self.chunk_seconds.labels(step)


class Metrics:
    """The numbers of one process, in Prometheus' text format."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.jobs = Gauge(
            "clarion_jobs", "Jobs waiting or leased.", ["kind"], registry=self.registry
        )
        self.backlog_bytes = Gauge(
            "clarion_backlog_bytes",
            "Events that wait to be taken in, in bytes; with NATS all jobs. Looked at when the "
            "metrics are.",
            registry=self.registry,
        )
        self.free_bytes = Gauge(
            "clarion_free_bytes",
            "What may still be stored, where it can be known: of an SQLite database's disk, of a "
            "NATS account. Below CLARION_DISK_FREE_MIN events are answered 503.",
            registry=self.registry,
        )
        self.stopped_apps = Gauge(
            "clarion_firebase_apps_stopped",
            "Firebase apps that wait for a person: paused, or their removals in doubt.",
            ["why"],
            registry=self.registry,
        )
        self.under_way = UnderWayMetrics(self.registry)
        self.sending = SendingMetrics(self.registry)
        self.connections = Gauge(
            "clarion_database_connections",
            "Connections of this process to the database.",
            ["use"],
            registry=self.registry,
        )
        self.connections_max = Gauge(
            "clarion_database_connections_max",
            "So many connections to the database this process opens at most; what needs another "
            "waits for one to come back.",
            registry=self.registry,
        )
        self.events = Counter(
            "clarion_events",
            "Events that this process took in, by what became of them.",
            ["outcome"],
            registry=self.registry,
        )
        self.agents = AgentMetrics(self.registry)
        self.fcm_answers = Counter(
            "clarion_fcm_answers",
            "Pushes that were tried, by what became of that try: accepted, unregistered, rejected, "
            "throttled; or the trouble it met, such as unavailable, http_502, timeout, "
            "unreachable, permission_denied.",
            ["project", "answer"],
            registry=self.registry,
        )
        self.fcm_seconds = Histogram(
            "clarion_fcm_seconds",
            "How long FCM took to answer all pushes that were sent to it together.",
            ["project"],
            buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self.calls_turned_away = Counter(
            "clarion_calls_turned_away",
            "Calls of apps of which nothing was kept, by the code of the answer: a key that is "
            "unknown or retired, too much at once, a body that is no JSON.",
            ["code"],
            registry=self.registry,
        )

    def text(self) -> bytes:
        return generate_latest(self.registry)


def _is_no_stop(record: logging.LogRecord) -> bool:
    """False for what a library logs only because it was stopped: whoever stops a command knows.
    SQLAlchemy logs a connection that it was closing just then as an error, with a traceback."""
    stopped = record.exc_info[1] if record.exc_info else None
    return not isinstance(stopped, asyncio.CancelledError | KeyboardInterrupt)


def _with_trace(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """With the trace that this belongs to, the same from an event to its pushes."""
    trace = trace_of(current())
    if trace is not None:
        event.setdefault("trace", trace)
    return event


def _masked(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name.lower() in _SECRET_NAMES:
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = visible(without_passwords(value))
    return event


def _plain_traceback(stream: TextIO, exc_info: Any) -> None:
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    stream.write(visible(without_passwords(text.getvalue())))
