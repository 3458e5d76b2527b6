"""Holds answers against the API's own description: enough of JSON Schema for what it uses."""

import json
import re
from datetime import datetime
from typing import Any
from uuid import UUID

from clarion.web.api.description.description import describe

_PART = re.compile(r"\\\{\w+\\\}")


PROBLEM = "application/problem+json"


def check_answer(method: str, path: str, status: int, body: bytes, media: str = "") -> None:
    """Fails where this answer is not one that the description promises. `media`: how it says it is
    written."""
    operation = _operation(method, path)
    if operation is None:
        if status >= 400:
            name = "Problem" if media == PROBLEM else "Error"
            check(json.loads(body), {"$ref": f"#/components/schemas/{name}"})
        return
    promised = operation["responses"].get(str(status))
    assert promised is not None, f"{method} {path} may answer {list(operation['responses'])}"
    if "$ref" in promised:
        promised = _resolve(promised["$ref"])
    if "content" not in promised:
        assert body == b""
        return
    contents = dict(promised["content"])
    problem = contents.pop(PROBLEM, None)
    assert (problem is None) == (status < 400)
    ((kind, content),) = contents.items()
    if media == PROBLEM:
        check(json.loads(body), problem["schema"])
    elif kind == "application/json":
        check(json.loads(body), content["schema"])


def check(value: Any, schema: dict[str, Any], where: str = "$") -> None:
    """Fails where `value` is not what `schema` says. Members that it does not name are wrong."""
    if "$ref" in schema:
        check(value, _resolve(schema["$ref"]), where)
    elif "anyOf" in schema:
        assert any(_fits(value, one, where) for one in schema["anyOf"]), f"{where}: {value!r}"
    elif "enum" in schema:
        assert value in schema["enum"], f"{where}: {value!r}"
    elif "const" in schema:
        assert value == schema["const"], f"{where}: {value!r}"
    elif "type" in schema:
        _check_type(value, schema, where)


def _check_type(value: Any, schema: dict[str, Any], where: str) -> None:
    kinds = {
        "object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
        "number": (int, float), "null": type(None),
    }  # fmt: skip
    kind: Any = kinds[schema["type"]]
    is_bool = isinstance(value, bool)
    assert isinstance(value, kind) and (is_bool <= (kind is bool)), f"{where}: {value!r}"
    if schema["type"] == "array":
        for index, inner in enumerate(value):
            check(inner, schema["items"], f"{where}[{index}]")
    if schema["type"] == "object":
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            assert name in value, f"{where}.{name} is missing"
        for name, inner in value.items():
            rest = schema.get("additionalProperties", False if properties else {})
            assert name in properties or rest is not False, f"{where}.{name} is not described"
            check(inner, properties.get(name, rest), f"{where}.{name}")
    match schema.get("format"):
        case "date-time":
            assert datetime.fromisoformat(value).tzinfo is not None, where
        case "uuid":
            UUID(value)


def _fits(value: Any, schema: dict[str, Any], where: str) -> bool:
    try:
        check(value, schema, where)
    except (AssertionError, ValueError):
        return False
    return True


def _operation(method: str, path: str) -> Any:
    paths: dict[str, Any] = describe()["paths"]
    for template, item in paths.items():
        if re.fullmatch(_PART.sub("[^/]+", re.escape(template)), path) and method.lower() in item:
            return item[method.lower()]
    return None


def _resolve(reference: str) -> Any:
    found: Any = describe()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
