"""The references say all that the code has, and nothing that it has not."""

import re
from collections.abc import Iterator

import pytest
from cyclopts import App as Commands
from docs.codes import CALLS as CALLS_TURNED_AWAY
from docs.codes import EVENTS, PEOPLE, REGISTRATIONS, found_in
from docs.generate import PAGES, REFERENCE, page
from msgspec.structs import fields

from clarion.accounts.workspace import STALE_DAYS_MAX
from clarion.app import Role
from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.content.templates.template import (
    LOOPS_MAX,
    OUTPUT_BYTES_MAX,
    STEPS_MAX,
    VALUE_SIZE_MAX,
)
from clarion.cli import commands
from clarion.cli.output import ExitCode
from clarion.config import SETTINGS
from clarion.customers.devices.freshness.sweeper import SweeperOptions
from clarion.customers.diagnostics import REFRESH_DAYS
from clarion.customers.identity.timeline import SHARED_USERS_MAX
from clarion.customers.ingestor import IngestorOptions
from clarion.deliveries.delivery import DeliveryState, RetryPolicy, Skip
from clarion.deliveries.planning.planner import PlannerOptions
from clarion.deliveries.sending.chunk_result import RETRY_BUCKET_SECONDS
from clarion.deliveries.sending.sender import SenderOptions
from clarion.events.backpressure import BACKLOG_MAX, DISK_FREE_MIN
from clarion.events.calls.body import BODY_BYTES_MAX
from clarion.events.calls.call import BATCH_EVENTS_MAX, CONTEXT_BYTES_MAX, CONTEXT_BYTES_TOTAL_MAX
from clarion.events.calls.check import EVENT_BYTES_MAX
from clarion.events.messages.identifiers import ID_CHARACTERS_MAX
from clarion.ingest_log.diagnostics import CALL_CURES, CURES, WARNINGS
from clarion.ingest_log.rejected_call_log import RejectedCallLogOptions
from clarion.ingest_log.store import KEPT, REFUSALS_KEPT
from clarion.ingest_log.tally import NAMES_MAX
from clarion.sources.auth_result import KEY_MEANINGS
from clarion.sources.authenticator import WriteKeyOptions
from clarion.sources.rate_limit import BYTES_OF_EVENT, DEFAULT_LIMIT
from clarion.telemetry import Metrics
from clarion.web.api.description.description import describe
from clarion.web.api.errors import ErrorCode
from clarion.web.connections import CONNECTIONS_MAX, DESCRIPTORS_SHARE, KEEP_ALIVE_SECONDS, Limits
from clarion.web.intilery.ingest import KINDS
from clarion.web.intilery.query import Part
from clarion.web.intilery.read import CALLS
from clarion.web.intilery.replies import ReadFault
from clarion.web.sdk.read_body import BODY_SECONDS_MAX
from clarion.web.sdk.routes import METRICS, PIXELS, ROUTES, SOURCE_CONFIG
from clarion.web.server import COLLECTOR_PREFIXES, DRAIN_SECONDS, TRACK_PREFIXES
from fcm_simulator.fcm.faults import Orders, Refusal
from fcm_simulator.fcm.message_rules import PAYLOAD_BYTES_MAX, TOPIC_PAYLOAD_BYTES_MAX
from fcm_simulator.fcm.outcomes import Trouble
from fcm_simulator.fcm.registrations import Life, Registration, System
from fcm_simulator.fcm.simulation import MESSAGES_KEPT
from fcm_simulator.fcm.topics import TOPICS_MAX
from support.pages import ROOT, name_of
from support.scenarios import SCENARIOS, Scenario

SOURCE = ROOT / "src" / "clarion"
LIFECYCLE = ROOT / "docs" / "concepts" / "delivery-lifecycle.md"


def reference(name: str) -> str:
    return (REFERENCE / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_is_what_the_code_says(name: str) -> None:
    assert reference(name) == page(name), "run `make docs`"


def test_no_reference_is_left_of_what_is_gone() -> None:
    assert {one.name for one in REFERENCE.iterdir()} == set(PAGES)


def test_every_setting_is_documented() -> None:
    for setting in SETTINGS:
        assert f"## `{setting.name}`\n\n{setting.meaning}" in reference("settings.md")


def test_every_route_is_documented() -> None:
    text = reference("api.md")
    for path, methods in describe()["paths"].items():
        for method, operation in methods.items():
            assert f"### `{method.upper()} {path}`" in text
            assert operation["summary"] in text
    for path in (*ROUTES, *METRICS):
        assert f"| `POST {path}` |" in text
    for call in (*CALLS, *(f"profiles/{{idType}}:{{id}}/{part}" for part in list(Part)[:3])):
        assert f"GET /track/{{client}}/{{account}}/{{brand}}/v1/{call}` |" in text
    for call in KINDS:
        assert f"/v1/{call}` |" in text
    for path in (*PIXELS, SOURCE_CONFIG, "/v1/projects/{writeKey}/settings"):
        assert f"| `GET {path}` |" in text
    for path in ("/metrics", "/api/v1/openapi.json", "/api/v1/docs"):
        assert f"`GET {path}`" in text


def test_every_field_of_every_type_is_documented() -> None:
    text = reference("api.md")
    for name, schema in describe()["components"]["schemas"].items():
        if name.startswith("Page_"):
            continue
        section = text.split(f"\n### {name}\n")[1].split("\n### ")[0]
        for field in schema.get("properties", {}):
            assert f"| `{field}` |" in section, name
        for value in schema.get("enum", ()):
            assert f"`{value}`" in section, name


def test_every_error_code_is_documented() -> None:
    text = reference("errors.md")
    for code in (*ErrorCode, *ReadFault, *codes_in_the_source()):
        assert f"| `{code}` |" in text, code


def test_every_refusal_has_a_cure_and_every_warning_is_told() -> None:
    """A new code needs its line in `ingest_log/diagnostics.py`."""
    refused = {
        code for module in (*EVENTS, *PEOPLE, *REGISTRATIONS) for _, code, _ in found_in(module)
    }
    assert refused == set(CURES), "each code needs its cure in ingest_log/diagnostics.py"
    calls = {code for module in CALLS_TURNED_AWAY for _, code, _ in found_in(module)}
    assert calls | set(KEY_MEANINGS) == set(CALL_CURES)
    for code, advice in WARNINGS.items():
        assert f"| `{code}` | {advice.stage} | {advice.meaning} | {advice.cure} |" in reference(
            "errors.md"
        )


def codes_in_the_source() -> Iterator[str]:
    """The collector's codes, found by another way than the reference finds them."""
    reader = SOURCE / "customers" / "devices" / "registration_reader.py"
    for module in [*(SOURCE / "events").rglob("*.py"), reader]:
        yield from re.findall(r'\bcode="(\w+)"', module.read_text())
        yield from re.findall(r'refused\(\s*message_id,\s*"(\w+)"', module.read_text())
    yield from re.findall(r'send_error\(\s*send,\s*origin,\s*\d+,\s*"(\w+)"', collect_source())
    yield from re.findall(r'Rejected\(\s*code="(\w+)"', collect_source())

    for module in (SOURCE / "web" / "intilery").glob("*.py"):
        yield from re.findall(r'Denied\(\s*code="(\w+)"', module.read_text())
        yield from re.findall(r'send_refusal\(\s*send,\s*\d+,\s*"(\w+)"', module.read_text())


def collect_source() -> str:
    return "".join(one.read_text() for one in (SOURCE / "web" / "sdk").glob("*.py"))


def test_the_source_has_codes_to_be_found() -> None:
    found = set(codes_in_the_source())
    assert {"not_json", "event_failed", "no_user_anon_id", "token_missing", "unavailable"} <= found
    assert {"brand_unknown", "body_too_slow"} <= found


def test_every_command_is_documented() -> None:
    text = reference("cli.md")
    for words in every_command(commands):
        assert f"\n## {words}\n" in text or f"\n### {words}\n" in text, words
    assert all(f"| {code.value} |" in text for code in ExitCode)
    assert all(role.value in text for role in Role)


def every_command(app: Commands, path: str = "clarion") -> Iterator[str]:
    for name in app.resolved_commands():
        if not name.startswith("-"):
            yield f"{path} {name}"
            yield from every_command(app[name], f"{path} {name}")


def test_there_are_commands_to_be_found() -> None:
    assert {"clarion serve", "clarion simulator key", "clarion campaigns report"} <= set(
        every_command(commands)
    )


def test_every_metric_is_documented() -> None:
    told = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Metrics().registry.collect()
        if not family.name.startswith(("process_", "python_"))
    }
    assert told
    for name in told:
        assert f"| `{name}` |" in reference("metrics.md")


def test_the_life_of_a_delivery_tells_every_state_and_reason() -> None:
    text = LIFECYCLE.read_text()
    for word in (*CampaignState, *DeliveryState, *Skip):
        assert f"| `{word}` |" in text, word
    outcomes = ("Accepted", "Unregistered", "Rejected", "Throttled", "Unavailable", "Misconfigured")
    assert all(f"| {outcome}" in text for outcome in outcomes)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_scenario_is_told(scenario: Scenario) -> None:
    assert f"| {scenario.name} |" in (ROOT / "docs" / "concepts" / "identity.md").read_text()


def test_every_rule_is_told() -> None:
    text = (ROOT / "docs" / "concepts" / "identity.md").read_text()
    assert [f"**R{number} " in text for number in range(15)] == [True] * 15


def test_the_log_events_that_operators_are_told_of_are_logged() -> None:
    text = (ROOT / "docs" / "guides" / "operate.md").read_text()
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| (?:error|warning|info) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    logged = "".join(module.read_text() for module in SOURCE.rglob("*.py"))
    assert named
    assert {name for name in named if f'"{name}"' not in logged} == set()


def test_every_error_that_is_logged_is_told_to_operators() -> None:
    text = (ROOT / "docs" / "guides" / "operate.md").read_text()
    for module in SOURCE.rglob("*.py"):
        for name in re.findall(r'log\.(?:error|exception)\(\s*"(\w+)"', module.read_text()):
            assert f"`{name}`" in text, f"{name_of(module)}: {name}"


def test_everything_that_can_be_asked_of_the_simulator_is_told() -> None:
    text = (ROOT / "simulator" / "README.md").read_text()
    told = set(re.findall(r"`([a-z_0-9-]+)`", text))
    orders = {field.name for field in fields(Orders)}
    lives = {field.name for field in fields(Registration)} - {"number"}
    assert {*Trouble, *Refusal, *orders, *Life, *System, *lives} - told == set()


def test_operators_are_told_every_path_that_has_to_be_public() -> None:
    text = (ROOT / "docs" / "guides" / "operate.md").read_text()
    for prefix in (*COLLECTOR_PREFIXES, *TRACK_PREFIXES):
        assert f"`{prefix.replace('//', '/')}`" in text, prefix


POLICY = RetryPolicy()
_LIMITS = Limits(connections=1)

NUMBERS = {
    "docs/guides/sources.md": [
        f"A new source may send {DEFAULT_LIMIT.events_per_second:,} events a second",
        f"and {DEFAULT_LIMIT.burst:,} at once",
        f"{BYTES_OF_EVENT // 1024} KiB for each event of the limit",
    ],
    "docs/concepts/delivery-lifecycle.md": [
        f"{PlannerOptions().page_devices:,} devices a page",
        f"chunks** of up to {PlannerOptions().chunk_deliveries}",
        f"sets a lease of {SenderOptions().lease_seconds:.0f} s",
        f"The first wait is {POLICY.first_seconds:.0f} s",
        f"up to {POLICY.longest_seconds / 60:.0f} minutes; up to a quarter",
        f"After {POLICY.give_up_seconds / 60:.0f} minutes from the first try",
        f"due within {RETRY_BUCKET_SECONDS} s of each other",
    ],
    "docs/concepts/guarantees.md": [
        f"for up to {WriteKeyOptions().remembered_seconds:.0f} seconds by a running collector",
        {5: "after five tries"}[IngestorOptions().tries_max],
    ],
    "docs/concepts/identity.md": [
        f"ids of more than {ID_CHARACTERS_MAX} characters",
        f"more than {SHARED_USERS_MAX} users claim one key within",
    ],
    "docs/guides/collect/index.md": [
        f"{BODY_BYTES_MAX // 1024} KiB a call",
        f"{BATCH_EVENTS_MAX:,} events a batch",
        f"{EVENT_BYTES_MAX // 1024} KiB an event",
        f"{ID_CHARACTERS_MAX} characters an id",
    ],
    "docs/guides/content.md": [
        f"has {VALUE_SIZE_MAX:,} characters or members at most",
        f"a loop makes {LOOPS_MAX:,} turns",
        f"{OUTPUT_BYTES_MAX // 1024} KiB long",
        f"take {STEPS_MAX:,} steps together",
    ],
    "docs/guides/debugging.md": [
        f"newest {REFUSALS_KEPT:,} refused events",
        f"of everything else the newest {KEPT:,}",
        {2: "written every two seconds"}[round(RejectedCallLogOptions().write_seconds)],
        f"Counts are kept for {SweeperOptions().counted_days} days",
        f"Of the names that one hour brings {NAMES_MAX} are told apart",
        f"has registered for {REFRESH_DAYS} days",
    ],
    "docs/guides/operate.md": [
        f"| {_LIMITS.head_bytes // 1024} KiB | 431",
        f"| {_LIMITS.head_seconds:.0f} s | 408 `head_too_slow`",
        f"{BODY_SECONDS_MAX:.0f} s in the collector, {_LIMITS.body_seconds:.0f} s anywhere",
        f"{_LIMITS.rest_seconds:.0f} s; {_LIMITS.stalled_seconds:.0f} s | the connection ends",
        f"{KEEP_ALIVE_SECONDS:.0f} s after its last one",
        f"{DESCRIPTORS_SHARE:.0%}".replace("%", " %") + " of the process's descriptors",
        f"({CONNECTIONS_MAX:,} at most)",
        f"{CONTEXT_BYTES_MAX // 1024} KiB, and {CONTEXT_BYTES_TOTAL_MAX // 1_048_576} MiB in all",
        f"{DISK_FREE_MIN // 10**6} MB left",
        f"`CLARION_BACKLOG_MAX`: {BACKLOG_MAX // 10**9} GB",
        f"newest {REFUSALS_KEPT:,} refused events and {KEPT:,} duplicates",
        f"counts of {SweeperOptions().counted_days} days",
        f"(for up to {DRAIN_SECONDS} s)",
        {30: "events within half a minute"}[round(IngestorOptions().lease_seconds)],
        f"days ({1} to {STALE_DAYS_MAX})",
    ],
    "simulator/README.md": [
        f"newest {MESSAGES_KEPT:,} are kept",
        f"at most {TOPICS_MAX:,} topics",
        f"{PAYLOAD_BYTES_MAX:,} bytes of a message",
        f"{TOPIC_PAYLOAD_BYTES_MAX:,} for topics",
    ],
    "ARCHITECTURE.md": [
        f"up to {IngestorOptions().jobs_max} at once",
        f"a page of {PlannerOptions().page_devices:,} devices",
    ],
}


@pytest.mark.parametrize("name", NUMBERS)
def test_the_numbers_that_a_page_tells_are_the_codes(name: str) -> None:
    text = " ".join((ROOT / name).read_text().split())
    assert [said for said in NUMBERS[name] if said not in text] == []


def test_what_waits_for_a_dead_process_waits_no_longer_than_operators_are_told() -> None:
    sender = SenderOptions()
    assert sender.lease_seconds + sender.sweep_seconds <= 60
    assert POLICY.hold_seconds <= 60
