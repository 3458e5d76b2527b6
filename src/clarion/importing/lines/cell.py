"""One cell of a CSV file: what it says, and whether a spreadsheet has damaged it. Pure.

A spreadsheet changes what it opens. A text that begins like a formula is run; a long number is
written back as `1.23457E+11`, which is the same for thousands of customers. So:

- what is exported is **protected**: an apostrophe stands before a text that a spreadsheet would
  run, or that looks as if one had damaged it. Import takes exactly that apostrophe away again;
- what is imported and looks damaged is **refused**: nobody can tell what it was. A value that is
  meant to be so is written with an apostrophe before it.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from clarion.events.messages.identifiers import DAMAGED
from clarion.faults import Rejected

ID_COLUMNS = frozenset(
    {
        "user_id", "userId", "anonymous_id", "anonymousId", "device_id", "deviceId", "previousId",
        "groupId", "message_id", "messageId", "token", "fcm_token", "fcmToken", "fid",
    }
)  # fmt: skip
"""They name people and devices: two of them may not become one."""
KINDS = ("text", "number", "boolean", "json")
PRECISE_DIGITS = 15
"""A spreadsheet keeps so many of a number, and makes the rest zeros."""
ROUNDED_DIGITS_MIN = 18
"""Of a longer number that ends in zeros behind them, one in a thousand was not rounded."""
SHOWN = 40

_TRIGGERS = "=+\\-@\t\r\n＝＋－＠"
_FORMULA = re.compile(rf"[{_TRIGGERS}\ufeff]")
_INNER = re.compile(rf"([;|\t\r\n])('*)(?=[{_TRIGGERS}])")
"""A cell of a spreadsheet that separates by these begins here."""
_INNER_PROTECTED = re.compile(rf"([;|\t\r\n])'('*)(?=[{_TRIGGERS}])")
_INNER_JSON = re.compile(rf"(?<=[;|])[{_TRIGGERS}]")
"""In JSON they stand in texts only, where any character can be written as its number."""
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,٫]\d+)?E[+-]\d{2,3}|[+-]?\d[.,٫]\d+E\d{1,3}", re.IGNORECASE)
_SHORTENED_NUMBER = re.compile(r"[+-]?\d[.,٫]\d{5}E[+-]\d{2,3}")
_ERROR = re.compile(r"#{2,}|#[^\W_a-z]{2,}[/_]?[^\W_a-z]*[!?]|#(?:N/A|N/D|NV|ND)|Err:\d{3}")
_WHOLE = re.compile(r"[+-]?\d+[.,]0+")
_GROUPED = re.compile(r"\d{1,3}(?:[,'’ \u00a0\u202f]\d{3})+")
_ROUNDED = re.compile(rf"\d{{{PRECISE_DIGITS}}}0+")
_MONTH = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|mrz|mär|mai|okt|dez|janv|févr|mars|avr|"
    "juin|juil|août|déc|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|mrt|mei|fev|out"
)
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?"
_DATE = re.compile(
    rf"\d{{1,2}}[-. /]{{1,2}}(?:{_MONTH})\.?(?:[-. /]\d{{2,4}})?|(?:{_MONTH})\.?[-. /]\d{{2,4}}|"
    rf"\d{{1,2}}/\d{{1,2}}/(?:\d{{4}}|\d{{2}}){_TIME}|\d{{1,2}}\.\d{{1,2}}\.(?:19|20)\d{{2}}{_TIME}|"
    rf"(?:19|20)\d{{2}}[-/]\d{{2}}[-/]\d{{2}}{_TIME}",
    re.IGNORECASE,
)
_OPENED = ("“", "„", "«", "‟")
_CLOSED = ("”", "“", "»")
_CURE = "Format the column as text before the file is opened and saved"


def protected(text: str) -> str:
    """`text` as a cell that no spreadsheet runs, and that import reads as `text`."""
    text = _INNER.sub(r"\1'\2", text)
    return f"'{text}" if _needs_apostrophe(text) else text


def protected_json(text: str) -> str:
    """The same JSON, of which no part is run."""
    return _INNER_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def safe(cell: str) -> str:
    """A cell of somebody's file, to be looked at in a spreadsheet and imported again."""
    if not _FORMULA.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    text = cell.strip()
    return f"'{text}" if _FORMULA.match(text) else text


def _plain(cell: str, *, is_id: bool) -> tuple[str, bool]:
    """(The text that a cell protects, whether it was protected)."""
    was = cell.startswith("'") and _needs_apostrophe(cell)
    text = cell[1:] if was else cell
    return (_INNER_PROTECTED.sub(r"\1\2", text) if is_id else text), was


def _needs_apostrophe(text: str) -> bool:
    """An apostrophe says that it needs one by what stands behind it: so one can always be put
    before a text, and taken away."""
    bare = text.lstrip("'")
    return bool(_FORMULA.match(bare)) or damage_of_id(bare) is not None


def damage_of_id(text: str, *, is_rounded: bool = False) -> Rejected | None:
    """What a spreadsheet has done to an id. `is_rounded`: all long numbers of its column end as if
    they were rounded."""
    fault = damage_of_text(text)
    if fault is not None:
        return Rejected(code="id_damaged", message=fault.message)
    shown = repr(text[:SHOWN])
    if _ROUNDED.fullmatch(text) and (is_rounded or len(text) >= ROUNDED_DIGITS_MIN):
        what = f"a number of which a spreadsheet has kept {PRECISE_DIGITS} digits"
    elif _WHOLE.fullmatch(text):
        what = "an id that was read as a number"
    elif _GROUPED.fullmatch(text):
        what = "a number as a spreadsheet shows it"
    elif _DATE.fullmatch(text):
        what = "a date, which a spreadsheet makes of ids like 1-2 and MAR1"
    elif text.startswith(_OPENED) or text.endswith(_CLOSED):
        return Rejected(
            code="id_damaged",
            message=f'{shown} stands in typographic quotes, which CSV does not know: write ".',
        )
    else:
        return None
    return Rejected(
        code="id_damaged",
        message=f"{shown} looks like {what}: several customers may share it. {_CURE}, or export it "
        "as NDJSON; if it is meant so, write an apostrophe before it.",
    )


def damage_of_text(text: str) -> Rejected | None:
    """What has happened to any text before it came here."""
    if _SCIENTIFIC.fullmatch(text):
        what = "is a number that a spreadsheet has shortened"
    elif _ERROR.fullmatch(text):
        what = "is what a spreadsheet shows instead of a value"
    elif DAMAGED in text:
        return Rejected(
            code="cell_damaged",
            message=f"{text[:SHOWN]!r} has lost characters (�) on its way: "
            "export it again as UTF-8.",
        )
    elif text.startswith(_OPENED) and not any(quote in text[1:] for quote in _CLOSED):
        return Rejected(
            code="cell_damaged",
            message=f"{text[:SHOWN]!r} opens a typographic quote that nothing closes: the cell may "
            'be cut in two. Write " around it.',
        )
    else:
        return None
    return Rejected(
        code="cell_damaged",
        message=f"{text[:SHOWN]!r} {what}. {_CURE}, or export it as NDJSON; if it is meant so, "
        "write an apostrophe before it.",
    )


def looks_rounded(texts: Iterable[str]) -> bool:
    """Whether long numbers (two at least) all end as if a spreadsheet had rounded them."""
    long = [text for text in texts if text.isdecimal() and len(text) > PRECISE_DIGITS]
    return len(long) > 1 and all(map(_ROUNDED.fullmatch, long))


def typed(column: str, value: Any, *, is_rounded: bool = False) -> tuple[str, Any] | Rejected:
    """(Name, value) in a column that may say what its texts are: `age:number`. `is_rounded`: as in
    `damage_of_id`."""
    name, kind = name_and_kind(column)
    if isinstance(value, str):
        value = _cell(name, kind, value, is_rounded=is_rounded)
        if isinstance(value, Rejected):
            return Rejected(code=value.code, message=f"{column}: {value.message}")
    return name, value


def name_and_kind(column: str) -> tuple[str, str]:
    """What a column is called, and what its texts are."""
    name, _, kind = column.rpartition(":")
    return (name.strip(), kind) if kind in KINDS else (column.strip(), "text")


def _cell(name: str, kind: str, cell: str, *, is_rounded: bool) -> Any:
    is_id = name in ID_COLUMNS
    cell, was_protected = _plain(cell.strip(), is_id=is_id)
    match kind:
        case _ if is_id:  # whatever its column says: 007 is not 7
            fault = None if was_protected else damage_of_id(cell, is_rounded=is_rounded)
            return fault or cell
        case "number":
            return _number(cell)
        case "boolean":
            if cell.lower() in ("true", "yes", "1"):
                return True
            if cell.lower() in ("false", "no", "0"):
                return False
            return Rejected(
                code="cell_no_boolean", message=f"{cell[:SHOWN]!r} is neither true nor false."
            )
        case "json":
            try:
                return msgspec.json.decode(cell)
            except (ValueError, RecursionError) as error:
                return Rejected(code="cell_no_json", message=f"is not valid JSON: {error}.")
        case _:
            return (None if was_protected else damage_of_text(cell)) or cell


def _number(cell: str) -> Any:
    if _SHORTENED_NUMBER.fullmatch(cell):
        return Rejected(
            code="cell_damaged",
            message=f"{cell!r} is a number that a spreadsheet has shortened. {_CURE}.",
        )
    try:
        value = int(cell) if cell.lstrip("+-").isdigit() else msgspec.json.decode(cell)
    except ValueError:
        value = None
    if type(value) in (int, float):
        return value
    return Rejected(code="cell_no_number", message=f"{cell[:SHOWN]!r} is no number.")
