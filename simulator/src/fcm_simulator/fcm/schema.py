"""Whether a body is what `messages:send` takes: names, types, enums, targets. Pure but for loading.

The truth is Google's own description of the API, which the package google-api-python-client carries
(`load`). Where speed matters more, a short list of names stands in (`BASIC`): the top of the
message is checked, and what is inside the platforms' blocks is not.

As Google does, names are taken in snake_case and camelCase, enums in any case and integers as
texts; null is as if it were not there. The wording of what is wrong is Google's where it is known.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

ROOT = "SendMessageRequest"
TARGETS = ("fid", "token", "topic", "condition")
_PACKAGE = "type.googleapis.com/google.firebase.fcm.v1."
_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Violation:
    field: str
    description: str


_Violations = list[Violation]
_Check = Callable[[Any, str, _Violations], None]
_Fields = dict[str, tuple[str, _Check]]


class Schema:
    """A description of the API, made ready to check bodies with."""

    def __init__(self, schemas: Mapping[str, Any], *, is_full: bool) -> None:
        self.is_full = is_full
        self._schemas = schemas
        self._types: dict[str, _Fields] = {}
        self._root = self._type(ROOT)

    def violations(self, request: Any) -> _Violations:
        """Everything that is wrong with a decoded body."""
        violations: _Violations = []
        if not isinstance(request, dict):
            return [Violation("", "Invalid JSON payload received. Root element must be a message.")]
        _check_fields(self._root, request, "", violations)
        message = request.get("message")
        if isinstance(message, dict):
            _check_target(message, violations)
        return violations

    def _type(self, name: str) -> _Fields:
        fields = self._types.get(name)
        if fields is None:
            fields = self._types[name] = {}
            for camel, schema in self._schemas[name].get("properties", {}).items():
                snake = to_snake(camel)
                fields[camel] = fields[snake] = (snake, self._check(name, camel, schema))
        return fields

    def _check(self, parent: str, name: str, schema: Mapping[str, Any]) -> _Check:
        if "$ref" in schema:
            return _message(schema["$ref"], self._type(schema["$ref"]))
        if "enum" in schema:
            return _enum(schema["enum"], _enum_type(parent, name))
        match schema["type"], schema.get("format"):
            case "string", "google-duration":
                return _duration
            case "string", "google-datetime":
                return _datetime
            case "array", _:
                return _array(self._check(parent, name, schema["items"]))
            case "object", _ if schema["additionalProperties"]["type"] == "string":
                return _string_map
            case "object", _:
                return _struct
            case kind, form:
                return _SCALARS[form or kind]


def load() -> Schema:
    """Google's description, which takes a moment to read."""
    documents = files("googleapiclient.discovery_cache") / "documents"
    document = json.loads((documents / "fcm.v1.json").read_text(encoding="utf-8"))
    return Schema(document["schemas"], is_full=True)


def to_snake(name: str) -> str:
    """`androidV2` → `android_v2`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def pick(message: Mapping[str, Any], camel: str, snake: str) -> Any:
    """A field by either of its names."""
    value = message.get(snake)
    return message.get(camel) if value is None else value


def _check_fields(
    fields: _Fields, wire: dict[str, Any], path: str, violations: _Violations
) -> None:
    for name, value in wire.items():
        field = fields.get(name)
        if field is None:
            where = f" at '{path}'" if path else ""
            violations.append(
                Violation(
                    path,
                    f'Invalid JSON payload received. Unknown name "{name[:_SHOWN_CHARACTERS]}"'
                    f"{where}: Cannot find field.",
                )
            )
        elif value is not None:
            field[1](value, f"{path}.{field[0]}" if path else field[0], violations)


def _check_target(message: Mapping[str, Any], violations: _Violations) -> None:
    set_ = [name for name in message if name in TARGETS and message[name] is not None]
    for name in set_[1:]:
        violations.append(
            Violation(
                "message",
                f"Invalid value at 'message' (oneof), oneof field 'target' is already set. "
                f"Cannot set '{name}'",
            )
        )


def _message(name: str, fields: _Fields) -> _Check:
    def check(value: Any, path: str, violations: _Violations) -> None:
        if isinstance(value, dict):
            _check_fields(fields, value, path, violations)
        else:
            _add(violations, path, _PACKAGE + name, value)

    return check


def _enum(names: list[str], kind: str) -> _Check:
    spellings = {spelling for name in names for spelling in (name, name.lower())}

    def check(value: Any, path: str, violations: _Violations) -> None:
        if isinstance(value, str) and (value in spellings or value.upper() in spellings):
            return
        if type(value) is int and 0 <= value < len(names):
            return
        _add(violations, path, kind, value)

    return check


def _array(check_item: _Check) -> _Check:
    def check(value: Any, path: str, violations: _Violations) -> None:
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            check_item(item, f"{path}[{index}]", violations)

    return check


def _string_map(value: Any, path: str, violations: _Violations) -> None:
    if not isinstance(value, dict):
        _add(violations, path, "Map", value)
        return
    for index, item in enumerate(value.values()):
        if type(item) is not str:
            _string(item, f"{path}[{index}].value", violations)


def _struct(value: Any, path: str, violations: _Violations) -> None:
    if not isinstance(value, dict):
        _add(violations, path, "type.googleapis.com/google.protobuf.Struct", value)


def _string(value: Any, path: str, violations: _Violations) -> None:
    if type(value) is str:
        return
    if isinstance(value, list):
        name = path.rpartition(".")[2]
        parent = path.rpartition(".")[0]
        where = f" at '{parent}'" if parent else ""
        violations.append(
            Violation(
                parent,
                f'Invalid JSON payload received. Unknown name "{name}"{where}: '
                "Proto field is not repeating, cannot start list.",
            )
        )
        return
    _add(violations, path, "TYPE_STRING", value)


def _boolean(value: Any, path: str, violations: _Violations) -> None:
    if not (isinstance(value, bool) or value in ("true", "false")):
        _add(violations, path, "TYPE_BOOL", value)


def _int32(value: Any, path: str, violations: _Violations) -> None:
    try:
        whole = isinstance(value, int | float | str) and not isinstance(value, bool)
        if whole and float(value).is_integer() and -(2**31) <= float(value) < 2**31:
            return
    except (ValueError, OverflowError):
        pass
    _add(violations, path, "TYPE_INT32", value)


def _float(value: Any, path: str, violations: _Violations) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return
    try:
        float(value)
        if isinstance(value, str):
            return
    except (TypeError, ValueError):
        pass
    _add(violations, path, "TYPE_FLOAT", value)


def _duration(value: Any, path: str, violations: _Violations) -> None:
    if not (isinstance(value, str) and _DURATION.fullmatch(value)):
        kind = "type.googleapis.com/google.protobuf.Duration"
        more = "Illegal duration format; duration must end with 's'"
        _add(violations, path, kind, value, more if isinstance(value, str) else "")


def _datetime(value: Any, path: str, violations: _Violations) -> None:
    if not (isinstance(value, str) and _DATETIME.fullmatch(value)):
        kind = "type.googleapis.com/google.protobuf.Timestamp"
        more = "Illegal timestamp format; timestamps must end with 'Z' or have a valid timezone"
        _add(violations, path, kind, value, more if isinstance(value, str) else "")


_SCALARS: dict[str, _Check] = {
    "string": _string,
    "boolean": _boolean,
    "int32": _int32,
    "float": _float,
}


def _add(violations: _Violations, path: str, kind: str, value: Any, more: str = "") -> None:
    shown = more and f"Field '{path.rpartition('.')[2]}', {more}"
    shown = shown or json.dumps(value, ensure_ascii=False, default=str)[:_SHOWN_CHARACTERS]
    violations.append(Violation(path, f"Invalid value at '{path}' ({kind}), {shown}"))


def _enum_type(parent: str, name: str) -> str:
    own = "AndroidMessagePriority" if name == "priority" else name[0].upper() + name[1:]
    return f"{_PACKAGE}{parent}.{own}"


_ANYTHING = {"type": "object", "additionalProperties": {"type": "any"}}
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
BASIC = Schema(
    {
        ROOT: {"properties": {"message": {"$ref": "Message"}, "validateOnly": {"type": "boolean"}}},
        "Message": {
            "properties": {
                **{name: {"type": "string"} for name in ("name", *TARGETS)},
                **dict.fromkeys(
                    ("android", "androidV2", "apns", "fcmOptions", "notification", "webpush"),
                    _ANYTHING,
                ),
                "data": _TEXTS,
            }
        },
    },
    is_full=False,
)
