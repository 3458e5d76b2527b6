"""The API's description as a page that people read: no script, nothing loaded from anywhere. Pure.

`render` takes the OpenAPI document and nothing else, so whatever it says is what the document says.
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_CODE = re.compile(r"`([^`]+)`")
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #2563eb; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.55 system-ui, sans-serif; display: grid;
  grid-template-columns: 15rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem 1rem;
  border-right: 1px solid var(--line); font-size: 13px; }
nav h2 { font-size: 13px; margin: 1rem 0 .2rem; }
nav a { display: block; padding: .1rem 0; color: inherit; text-decoration: none; }
nav a:hover { color: var(--accent); }
main { padding: 1.5rem 2rem 6rem; max-width: 62rem; }
h1 { margin-top: 0; } section > h2 { margin-top: 3rem; }
article { border: 1px solid var(--line); border-radius: 8px; margin: 1rem 0; padding: .8rem 1rem; }
article h3 { margin: 0; font-size: 15px; font-weight: 600; }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
code { background: var(--soft); border-radius: 4px; padding: 0 .25em; overflow-wrap: anywhere; }
pre { background: var(--soft); border-radius: 6px; padding: .7rem; overflow: auto; }
.verb { display: inline-block; min-width: 4.2em; font: 700 12px ui-monospace, monospace;
  color: var(--accent); }
.verb.DELETE { color: #dc2626; } .verb.POST { color: #059669; } .verb.PATCH { color: #b45309; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-bottom: 1px solid var(--line); font-size: 13.5px; }
summary { cursor: pointer; margin: .4rem 0; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; } }
"""


def render(document: Mapping[str, Any]) -> str:
    """The page."""
    info = document["info"]
    groups = {tag["name"]: tag["description"] for tag in document["tags"]}
    operations = list(_operations(document))
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head>\n<body>\n"
        f"<nav><strong>{escape(info['title'])} API</strong> {escape(info['version'])}"
        '<p><a href="/api/v1/openapi.json">openapi.json</a><a href="#errors">Errors</a>'
        '<a href="#types">Types</a></p>'
        + "".join(_index(name, operations) for name in groups)
        + f"</nav>\n<main>\n<h1>{escape(info['title'])} API</h1>\n{_text(info['description'])}"
        + "".join(
            f'\n<section id="{escape(name)}"><h2>{escape(name)}</h2>{_text(text)}'
            + "".join(_operation(document, *one) for one in operations if one[2]["tags"][0] == name)
            + "</section>"
            for name, text in groups.items()
        )
        + _errors(document)
        + _types(document)
        + "\n</main>\n</body>\n</html>\n"
    )


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def _index(name: str, operations: list[tuple[str, str, Mapping[str, Any]]]) -> str:
    links = (
        f'<a href="#{escape(operation["operationId"])}">{escape(operation["summary"])}</a>'
        for _, _, operation in operations
        if operation["tags"][0] == name
    )
    return f"<h2>{escape(name)}</h2>" + "".join(links)


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> str:
    parts = [
        f'\n<article id="{escape(operation["operationId"])}">'
        f'<h3><span class="verb {method}">{method}</span> <code>{escape(path)}</code></h3>'
        f"<p>{escape(operation['summary'])}. {_inline(operation['description'])}</p>"
    ]
    if operation.get("parameters"):
        rows = (
            (
                f"<code>{escape(one['name'])}</code>",
                f"{escape(one['in'])}{', required' if one['required'] else ''}",
                _kind(one["schema"]),
                _inline(one.get("description", "")),
            )
            for one in operation["parameters"]
        )
        parts.append(_table(rows))
    if "requestBody" in operation:
        parts.append(_body(document, "Body", operation["requestBody"]["content"], is_open=True))
    for status, answer in operation["responses"].items():
        if "content" in answer:
            parts.append(_body(document, f"Answer {status}", answer["content"], is_open=False))
    refusals = ", ".join(
        f'<a href="#error-{status}">{status}</a>'
        for status, answer in operation["responses"].items()
        if "$ref" in answer
    )
    parts.append(f"<p>Errors: {refusals}</p></article>")
    return "".join(parts)


def _body(
    document: Mapping[str, Any], title: str, content: Mapping[str, Any], *, is_open: bool
) -> str:
    (schema,) = (one["schema"] for one in content.values())
    name = _name(schema)
    known = document["components"]["schemas"].get(name, {})
    example = "".join(
        f"<pre>{escape(json.dumps(one, indent=2, ensure_ascii=False))}</pre>"
        for one in known.get("examples", ())
    )
    return (
        f"<details{' open' if is_open else ''}><summary>{escape(title)}: {_kind(schema)}</summary>"
        f"{_inline(known.get('description', ''))}{_fields(known)}{example}</details>"
    )


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    return _table(
        (
            f"<code>{escape(name)}</code>",
            _kind(field),
            "" if name in required else "may be left out",
        )
        for name, field in schema.get("properties", {}).items()
    )


def _errors(document: Mapping[str, Any]) -> str:
    parts = (
        f'<article id="error-{status}"><h3>{status}</h3>{_text(response["description"])}</article>'
        for status, response in document["components"]["responses"].items()
    )
    return '\n<section id="errors"><h2>errors</h2>' + "".join(parts) + "</section>"


def _types(document: Mapping[str, Any]) -> str:
    parts = (
        f'<article id="type-{escape(name)}"><h3>{escape(name)}</h3>'
        f"<p>{_inline(schema.get('description', ''))}</p>"
        + (f"<p>{_kind(schema)}</p>" if "enum" in schema else _fields(schema))
        + "</article>"
        for name, schema in document["components"]["schemas"].items()
    )
    return '\n<section id="types"><h2>types</h2>' + "".join(parts) + "</section>"


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links to the types it names."""
    if "$ref" in schema:
        name = _name(schema)
        return f'<a href="#type-{escape(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema.get('items', {}))}"
        case "object" if "additionalProperties" in schema:
            return f"object of {_kind(schema['additionalProperties'] or {})}"
        case str(kind):
            bounds = [schema[name] for name in ("minimum", "maximum") if name in schema]
            more = f", {bounds[0]:g} to {bounds[1]:g}" if len(bounds) == 2 else ""
            shape = f" ({escape(schema['format'])})" if "format" in schema else ""
            return f"{escape(kind)}{shape}{more}"
        case _:
            return "anything"


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _table(rows: Any) -> str:
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{lines}</table>" if lines else ""


def _text(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n"))


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
