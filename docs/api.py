"""The HTTP API, from its own OpenAPI document; and the routes that are not in it."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from clarion.events.action_store import LOOKED_AT_MAX
from clarion.web.api.description.description import describe
from clarion.web.intilery.ingest import KINDS
from clarion.web.intilery.query import FROM_MAX, SIZE_MAX
from clarion.web.sdk.routes import METRICS, PIXELS, ROUTES, SOURCE_CONFIG, TYPE_IN_BODY

Json = Mapping[str, Any]

_TRACK = "/track/{client}/{account}/{brand}/v1"
_READING = {
    "events": "the brand's events, the last to arrive first. In the query: `include` and `exclude` "
    "(event actions: `email_opened`, with commas between), `start` and `end` (when they happened), "
    f"`sort` (`desc` or `asc`), `from` (up to {FROM_MAX:,}), `size` (up to {SIZE_MAX}). One call "
    f"searches {LOOKED_AT_MAX:,} events for what it asks: a page may be short, or empty; "
    "`?scrollId=` of it goes on, until that is null. With `from` in its place all are searched, "
    "however long it takes",
    "profiles": "customers, 100 a page; `?scrollId=` of one page asks for the next, until it is "
    "null",
    "profiles/{idType}:{id}": "one customer; `idType` is `userId`, `email` or `id`. By `email` "
    "`data` is a list, since several may share an address",
    "profiles/{idType}:{id}/traits": "the traits alone",
    "profiles/{idType}:{id}/events": "the customer's events, in pages by `scrollId`",
    "profiles/{idType}:{id}/meta": "traits, and when each event first and last happened; "
    "`…/metadata` tells the same",
}
_UNLESS = ", unless it gives itself another `type`"
_PAGE = "Page_"
"""What the names of types begin with that are a page of another."""


def api() -> str:
    """Every route, every body and every answer."""
    document = describe()
    lines = ["# The HTTP API", "", document["info"]["description"], ""]
    lines += [
        "The same as OpenAPI 3.1 is served at `GET /api/v1/openapi.json`, and as a page to read at",
        "`GET /api/v1` and `GET /api/v1/docs`. Error codes are listed in [errors](errors.md).",
    ]
    lines += _collector()
    for tag in document["tags"]:
        lines += ["", f"## {tag['name']}", "", tag["description"]]
        for path, method, operation in _operations(document):
            if operation["tags"][0] == tag["name"]:
                lines += _operation(path, method, operation)
    lines += ["", "## Types", ""]
    lines += [
        "What goes over the wire. A field that is not marked *optional* is always there. A page of",
        'a list is `{"data": […], "next": "…"}`; `next` is null in the last one.',
    ]
    for name, schema in document["components"]["schemas"].items():
        if not name.startswith(_PAGE):
            lines += _type(name, schema)
    return "\n".join(lines)


def _collector() -> list[str]:
    lines = [
        "",
        "## The collector",
        "",
        "Where apps send their events: [what to send and when](../guides/collect/index.md). Its",
        "key is a source's write key. 200 means that the events are durable. A slash at the end, a",
        "doubled one and a doubled `/v1` change nothing.",
        "",
        "| route | takes |",
        "|---|---|",
    ]
    lines += [
        f"| `POST {path}` | {_taken(kind)}{_UNLESS if path in TYPE_IN_BODY else ''} |"
        for path, kind in ROUTES.items()
    ]
    lines += [
        f"| `GET {path}` | one `{kind}` in the query; answers with an image, whatever comes |"
        for path, kind in PIXELS.items()
    ]
    lines += [
        "| `GET /v1/projects/{writeKey}/settings` | what SDKs ask before they send |",
        "| `GET /customerio/v1/projects/{writeKey}/settings` | the same for Customer.io's browser "
        "client |",
        f"| `GET {SOURCE_CONFIG}` | the same for RudderStack's browser SDK |",
    ]
    lines += [
        f"| `POST {path}` | what analytics.js measures of itself; nothing is kept |"
        for path in sorted(METRICS)
    ]
    lines += [
        "",
        "### The server API",
        "",
        "Intilery's, for servers that call it today: the header `auth-token` is an API key;",
        "`{brand}` is a source of its workspace by name, in whatever letters; `{client}` and",
        "`{account}` may be anything.",
        'Answers `{"success": true, "eventId": …}`, for a batch `eventIds` besides.',
        "",
        "| route | takes |",
        "|---|---|",
    ]
    lines += [f"| `POST {_TRACK}/{call}` | {_taken(kind)} |" for call, kind in KINDS.items()]
    lines += [
        "",
        'Reading needs the scope `read`. An error is `{"error": {"code": …, "message": …}}`.',
        "",
        "| route | tells |",
        "|---|---|",
    ]
    lines += [f"| `GET {_TRACK}/{path}` | {what} |" for path, what in _READING.items()]
    lines += ["", "`GET /metrics` tells the process's [metrics](metrics.md), without a key."]
    return lines


def _taken(kind: str | None) -> str:
    return "a batch" if kind is None else f"one `{kind}`"


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _operation(path: str, method: str, operation: Json) -> list[str]:
    lines = ["", f"### `{method} {path}`", "", f"**{operation['summary']}.**"]
    lines += [operation["description"]] if operation["description"] else []
    parameters = operation.get("parameters", ())
    if parameters:
        lines += ["", "| parameter | in | type | meaning |", "|---|---|---|---|"]
    for one in parameters:
        kind = _kind(one["schema"]) + ("" if one["required"] else ", optional")
        meaning = one.get("description", "")
        lines.append(f"| `{one['name']}` | {one['in']} | {kind} | {meaning} |")
    told = []
    body = operation.get("requestBody")
    if body is not None:
        kind = _kind(body["content"]["application/json"]["schema"])
        told.append(f"Body: {kind}{'' if body['required'] else ', may be empty'}.")
    answers = operation["responses"]
    good = [status for status in answers if status < "300"]
    content = answers[good[0]].get("content", {})
    what = "nothing"
    for media, one in content.items():
        what = _kind(one["schema"])
        if media == "text/event-stream":
            what = f"server-sent events, each with {what}"
    told.append(f"Answers {' or '.join(good)} with {what};")
    told.append(f"errors: {', '.join(sorted(status for status in answers if status >= '300'))}.")
    return [*lines, "", " ".join(told)]


def _type(name: str, schema: Json) -> list[str]:
    lines = ["", f"### {name}", ""]
    if "description" in schema:
        lines += [schema["description"], ""]
    if "enum" in schema:
        lines.append("One of " + ", ".join(f"`{one}`" for one in schema["enum"]) + ".")
    fields = schema.get("properties", {})
    if fields:
        lines += ["| field | type |", "|---|---|"]
    required = schema.get("required", ())
    for field, kind in fields.items():
        optional = "" if field in required else ", *optional*"
        default = kind.get("default")
        shown = f", else `{_json(default)}`" if default is not None else ""
        lines.append(f"| `{field}` | {_kind(kind)}{optional}{shown} |")
    for example in schema.get("examples", ()):
        lines += ["", "```json", msgspec.json.format(_json(example), indent=2), "```"]
    return lines


def _kind(schema: Json) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name.startswith(_PAGE):
            name = name.removeprefix(_PAGE).rstrip("_")
            return f"a page of [{name}](#{name.lower()})"
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_kind(one) for one in schema[several])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{one}`" for one in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema['items'])}"
        case "object":
            inner = schema.get("additionalProperties")
            return f"object of {_kind(inner)}" if isinstance(inner, Mapping) and inner else "object"
        case None:
            return "anything"
        case kind:
            words = [schema.get("format", str(kind))]
            for bound, sign in (("minimum", "≥"), ("maximum", "≤")):
                if bound in schema:
                    words.append(f"{sign} {schema[bound]}")
            return " ".join(words)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
