"""Every error code, with what is said beside it.

Those of the API are declared with their meaning. Those of the collector stand where they arise, so
they are read from the source: the code, and the message with what is not fixed in it as `…`.
"""

import ast
import importlib
from collections.abc import Iterator
from inspect import getsource
from typing import Any

from clarion.ingest_log.diagnostics import CALL_CURES, CURES, WARNINGS
from clarion.sources.auth_result import KEY_MEANINGS
from clarion.web.api.errors import ERRORS
from clarion.web.intilery.replies import STATUSES
from clarion.web.sdk.replies import REFUSALS_SHOWN

CALLS = (
    "clarion.web.sdk",
    "clarion.web.sdk.sdk_endpoints",
    "clarion.web.sdk.replies",
    "clarion.events.calls.body",
    "clarion.events.calls.call",
    "clarion.events.backpressure",
)
"""Where a whole call of the collector is refused."""
PEOPLE = ("clarion.customers.suppression",)
"""Where an event is dropped for whose it is."""
EVENTS = (
    "clarion.events.calls.check",
    "clarion.events.messages.excerpt",
    "clarion.events.envelope",
    "clarion.events.calls.identity_verification",
)
"""Where one event of a call is refused."""
REGISTRATIONS = (
    "clarion.events.calls.registration_check",
    "clarion.customers.devices.registration_reader",
)
"""Where an event is kept, but registers no device."""

RECORDS = (
    "clarion.importing.lines.row",
    "clarion.importing.lines.customer_row",
    "clarion.importing.lines.device_row",
    "clarion.importing.lines.columns",
    "clarion.importing.lines.cell",
    "clarion.importing.lines.row_reader",
    "clarion.importing.lines.reading",
)
"""Where a line of an imported file is refused."""
SERVICES = tuple(
    f"clarion.importing.services.{name}"
    for name in (
        "service_row", "pinpoint", "onesignal", "customer_io", "airship", "braze", "posthog",
        "firebase_topics",
    )
)  # fmt: skip
"""Where a row of another service's export is refused, or a part of it."""

SERVERS = ("clarion.web.intilery", "clarion.web.intilery.auth", "clarion.web.intilery.ingest")
"""Where a call of the server API is refused, beside what the collector refuses."""

_MADE_BY = {
    "Denied",
    "send_refusal",
    "Rejected",
    "RejectedEvent",
    "refused",
    "send_error",
}
_UNREADABLE = 400
_SHUT = 403
_STATUSES = {
    "pixel_unreadable": 200,
    "not_found": 404,
    "method_not_allowed": 405,
    "body_too_slow": 408,
    "too_fast": 429,
    "disk_low": 503,
    "backlog_full": 503,
}
"""Of what is made as the fault of a call and answered otherwise."""


def errors() -> str:
    """Every code, of the API and of the collector."""
    lines = [
        "# Error codes",
        "",
        'An error is always `{"success": false, "code": "…", "message": "…"}`. Scripts look at the',
        "code; the sentence beside it is for people and may change.",
        "",
        "## The API",
        "",
        "Where single fields are to blame, the answer has `faults`: a list of `field` and",
        "`message`, all of them at once.",
        "",
        "With `Accept: application/problem+json` an error is a problem of RFC 9457: `type`,",
        "`title`, `status` and `detail`, with `code` and `faults` beside them.",
        "",
        "| code | status | meaning | cure |",
        "|---|---|---|---|",
    ]
    for name, one in ERRORS.items():
        lines.append(f"| `{name.value}` | {one.status} | {one.meaning} | {one.cure} |")
    lines += [
        "",
        "## The collector: the whole call",
        "",
        "Nothing of the call is kept. After 408, 429 and 503 the same call may be sent again (429",
        "and 503 say when, in `Retry-After`); after the others it would be refused again.",
        "",
        "If its write key belongs to a source, the call is counted there, and told with the cure,",
        "stage `call` (`clarion sources tail` and `counts`, and the API's like); calls of nobody",
        "are counted in `clarion_calls_turned_away_total` alone. A pixel is answered with its",
        "image, whatever happens.",
        "",
        "| code | status | message | cure |",
        "|---|---|---|---|",
    ]
    calls: dict[str, tuple[int, list[str]]] = {}
    for module in CALLS:
        for status, code, message in found_in(module):
            calls.setdefault(code, (status, []))[1].append(message)
    for code, (status, messages) in sorted(calls.items(), key=lambda item: (item[1][0], item[0])):
        said = " / ".join(dict.fromkeys(messages))
        lines.append(f"| `{code}` | {status} | {said} | {CALL_CURES.get(code, '')} |")
    lines += [
        "",
        "What is answered `write_key_unknown` is told to the source, if it ever had the key, as:",
        "",
        "| code | message | cure |",
        "|---|---|---|",
        *(f"| `{code}` | {said} | {CALL_CURES[code]} |" for code, said in KEY_MEANINGS.items()),
        "",
        "## The collector: one event",
        "",
        "The call is answered 200, and the rest of it is kept. The answer names up to "
        f"{REFUSALS_SHOWN} of them",
        "in `refused`; all are recorded with the source, stage `event`, where",
        "`GET /api/v1/sources/{source_id}/refusals` tells them.",
        "",
        *_table(EVENTS),
        "",
        "## The server API",
        "",
        "Codes of `/track/…`. What the collector says of a call or an event it says, too: a single",
        "event that is refused is a 400 (413 where it or the call is too large), and the message",
        "of `no_user_anon_id` is `userId must not be empty`.",
        "",
        "| code | status | message |",
        "|---|---|---|",
        *_server_rows(),
        "",
        'Who reads hears `{"error": {"code": …, "message": …}}`:',
        "",
        "| code | status |",
        "|---|---|",
        *(f"| `{fault}` | {status} |" for fault, status in STATUSES.items()),
        "",
        "## A registration",
        "",
        "The event is kept, but it registers no device: recorded with the source, stage",
        "`registration`.",
        "",
        *_table(REGISTRATIONS),
        "",
        "## A person who is left alone",
        "",
        "The event is answered like any other, and dropped when it is taken in. All are counted",
        "with the source; that there are some is told once in ten minutes, stage `person`,",
        "of whom nowhere.",
        "",
        *_table(PEOPLE),
        "",
        "## Warnings",
        "",
        "Nothing is refused, and somebody should know all the same: recorded with the source once",
        "an hour, with the first event that deserved it, and counted. Stage `identity`: it joins",
        "nobody whom it could have joined; stage `advice`: what it meant to say was not heard.",
        "",
        "| code | stage | meaning | cure |",
        "|---|---|---|---|",
        *(
            f"| `{code}` | {one.stage} | {one.meaning} | {one.cure} |"
            for code, one in WARNINGS.items()
        ),
        "",
        "## A line of an imported file",
        "",
        "The rest of the file is imported; the line stands in `FILE.refused.csv` (`.ndjson`), as",
        "do lines that the collector or a registration refuses, with the codes above.",
        "",
        *_table(RECORDS),
        "",
        "## A row of another service's export",
        "",
        "`clarion import FILE --from SERVICE`: beside the codes above. Of a row whose device is",
        "refused, the customer may have been taken.",
        "",
        *_table(SERVICES),
    ]
    return "\n".join(lines)


def _server_rows() -> list[str]:
    found = {
        code: (status, message) for module in SERVERS for status, code, message in found_in(module)
    }
    ordered = sorted(found.items(), key=lambda one: (one[1][0], one[0]))
    return [f"| `{code}` | {status} | {message} |" for code, (status, message) in ordered]


def _table(modules: tuple[str, ...]) -> list[str]:
    rows = ["| code | message | cure |", "|---|---|---|"]
    for module in modules:
        for _, code, message in found_in(module):
            cure = CURES.get(code, "").replace("<", "&lt;")
            rows.append(f"| `{code}` | {message} | {cure} |")
    return rows


def found_in(module: str) -> Iterator[tuple[int, str, str]]:
    """(status, code, message) of every error that is made in a module's source."""
    loaded = importlib.import_module(module)
    made = [one for one in ast.walk(ast.parse(getsource(loaded))) if isinstance(one, ast.Call)]
    for node in sorted(made, key=lambda one: one.lineno):
        if not isinstance(node.func, ast.Name) or node.func.id not in _MADE_BY:
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        status = _SHUT if node.func.id == "Denied" else _UNREADABLE
        words: list[ast.expr] = []
        for part in node.args:
            if isinstance(part, ast.Constant) and isinstance(part.value, int):
                status = part.value
            elif isinstance(part, ast.Constant | ast.JoinedStr):
                words.append(part)
        code, message = given.get("code"), given.get("message")
        if code is None and len(words) == 2:
            code, message = words
        if isinstance(code, ast.Constant) and message is not None:
            status = _STATUSES.get(str(code.value), status)
            yield status, str(code.value), _words(message, vars(loaded)).replace("<", "&lt;")


def _words(node: ast.AST, names: dict[str, Any]) -> str:
    """A message as it is read; constants of the module are filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part, names) for part in node.values)
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        return str(names.get(node.value.id, "…"))
    return "…"
