"""After every "gone" in the log there is a "back again"."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clarion.outage_log import BACK, OutageLog
from support.pages import ROOT

SOURCE = ROOT / "src" / "clarion"
OUTAGES = frozenset({"StorageUnavailable", "BrokerUnavailable", "TransportError", "VaultLocked"})
OF_ONE_CALL = {
    "api_unavailable": "the answer of one call, which says to come again",
    "command_not_nudged": "one job, which the sweep publishes again",
    "console_unavailable": "the page of one call, which says to load it again",
    "key_use_not_noted": "a note of one minute, which the next one replaces",
    "session_use_not_noted": "a note of one minute, which the next one replaces",
}
"""What is told of a thing that is over when it is told, and why nothing comes back."""


def handlers(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            names = {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)}
            if names & OUTAGES:
                yield node


def logged(node: ast.AST) -> Iterator[str]:
    """The events that are logged as a warning or an error within it."""
    for call in ast.walk(node):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in ("warning", "error")
            and call.args
            and isinstance(call.args[0], ast.Constant)
        ):
            yield str(call.args[0].value)


def told_of_outages() -> dict[str, Path]:
    """What is logged where a database, a broker or a vault is away, and by which module."""
    found: dict[str, Path] = {}
    for module in SOURCE.rglob("*.py"):
        tree = ast.parse(module.read_text())
        for handler in handlers(tree):
            found |= dict.fromkeys(logged(handler), module)
        for function in ast.walk(tree):  # Litestar's handlers of exceptions
            if isinstance(function, ast.FunctionDef) and "unavailable" in function.name:
                found |= dict.fromkeys(logged(function), module)
    return found


def test_whatever_is_told_of_an_outage_has_its_end_or_a_reason_why_not() -> None:
    found = told_of_outages()
    assert len(found) > 3, "the modules are read"
    for event, module in found.items():
        assert event in BACK or event in OF_ONE_CALL, f"{module.name}: {event}"


def test_both_ends_of_every_outage_are_written_somewhere_and_told_to_operators() -> None:
    code = "".join(module.read_text() for module in SOURCE.rglob("*.py"))
    code = re.sub(r"^BACK = \{.*?^\}", "", code, flags=re.M | re.S)
    guide = (ROOT / "docs" / "guides" / "operate.md").read_text()
    for gone, back in BACK.items():
        assert f'"{gone}"' in code, gone
        is_kept = f'OutageLog("{gone}"' in code
        assert is_kept or f'"{back}"' in code, back
        assert f"`{gone}`" in guide, gone
        assert f"`{back}`" in guide, back


def test_an_outage_is_told_once_and_its_end_once() -> None:
    outage = OutageLog("not_ready")
    with capture_logs() as logs:
        outage.is_there()
        for _ in range(3):
            outage.is_gone("database", part="database")
        outage.is_gone("broker", part="broker")
        outage.is_there()
        outage.is_there()
        outage.is_gone("database", part="database")
    told = [(entry["event"], entry.get("part"), entry.get("times")) for entry in logs]
    assert told == [
        ("not_ready", "database", None),
        ("not_ready", "broker", None),
        ("ready_again", None, 4),
        ("not_ready", "database", None),
    ]
    assert logs[0]["log_level"] == "warning"


def test_only_what_has_an_end_can_be_kept() -> None:
    with pytest.raises(KeyError):
        OutageLog("nobody_knows_this")
