"""The shape of the code: sizes, words, and what pure modules may do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from clarion.config import SETTINGS
from clarion.telemetry import Metrics
from clarion.web.api.description.description import describe
from support.each import of_each
from support.pages import ROOT, pages

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
SOURCE = ROOT / "src" / "clarion"
SIMULATOR = ROOT / "simulator" / "src" / "fcm_simulator"
MODULES = sorted([*SOURCE.rglob("*.py"), *SIMULATOR.rglob("*.py")])
WRITTEN = [one for one in MODULES if "versions" not in one.parts]
"""Revisions of the schema are as long as what they change."""

NEVER = frozenset(
    {"delivered", "tenant", "blast", "subscription", "subscriber", "contact", "contacts", "worker"}
)
"""Words that stand for something else here (docs/glossary.md), and could stand for nothing else."""
NEVER_ON_THE_WIRE = NEVER | {"message", "notification", "segment", "client", "task", "user"}
OTHERS_WORDS = frozenset({"user_id", "user_ids", "message_id", "message", "client_email"})
"""Segment's ids, what an error says, and Google's name for an account."""
FILES_NEVER = frozenset({"utils", "helpers", "common", "base", "manager", "service", "types"})

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@of_each(MODULES)
def test_a_module_is_short_enough_to_be_read(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= MODULE_LINES_MAX


@of_each(WRITTEN)
def test_a_function_is_short_enough_to_be_read(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < FUNCTION_LINES_MAX, node.name


@of_each(WRITTEN)
def test_a_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))


def test_no_module_is_named_for_everything() -> None:
    assert not {one.stem for one in MODULES} & FILES_NEVER
    assert not {one.name for one in SOURCE.rglob("*") if one.is_dir()} & FILES_NEVER


@of_each(WRITTEN)
def test_no_public_name_uses_a_word_for_something_else(module: Path) -> None:
    for name in public_names(ast.parse(module.read_text())):
        assert not words_of(name) & NEVER, name


def test_public_names_are_found() -> None:
    tree = ast.parse((SOURCE / "deliveries" / "delivery.py").read_text())
    assert {"DeliveryState", "EXPIRED", "judge", "due_at", "ACCEPTED"} <= set(public_names(tree))


def test_the_api_uses_no_word_for_something_else() -> None:
    for name, schema in describe()["components"]["schemas"].items():
        for word in (*schema.get("properties", {}), *schema.get("enum", ())):
            assert word in OTHERS_WORDS or not words_of(word) & NEVER_ON_THE_WIRE, (name, word)


def test_settings_and_metrics_use_no_word_for_something_else() -> None:
    names = [setting.name.lower() for setting in SETTINGS]
    names += [family.name for family in Metrics().registry.collect()]
    assert all(not words_of(name) & NEVER_ON_THE_WIRE for name in names)


@of_each(pages())
def test_a_page_calls_no_push_delivered(page: Path) -> None:
    """But in quotation marks, to say that it is not called so."""
    assert not re.search(r'(?<!")\bdelivered\b', page.read_text(), re.IGNORECASE)


CLOCKS = frozenset({"monotonic", "perf_counter", "process_time", "thread_time", "time"})
TESTS = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "simulator" / "tests").rglob("*.py")])


@of_each(TESTS)
def test_no_verdict_depends_on_how_fast_the_machine_is(module: Path) -> None:
    """What must come is waited for with `support.patience`; that something took some time may
    be asserted, that it took at most so long may not."""
    if module.name == "patience.py":
        return
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and _name(node.func) in ("timeout", "wait_for"):
            bounds = [*node.args, *(keyword.value for keyword in node.keywords)]
            numbers = [bound for bound in bounds if isinstance(bound, ast.Constant)]
            assert not numbers or numbers[0].value is None, f"line {node.lineno}: use patience()"
        if isinstance(node, ast.Assert):
            for inner in ast.walk(node.test):
                if isinstance(inner, ast.Compare) and isinstance(inner.ops[-1], ast.Lt | ast.LtE):
                    assert not _is_a_duration(inner), f"line {inner.lineno}: a fixed time"


def _is_a_duration(compared: ast.Compare) -> bool:
    """Whether a difference of clocks must be less than a number."""
    left = compared.comparators[-2] if len(compared.comparators) > 1 else compared.left
    calls = [one for one in ast.walk(left) if isinstance(one, ast.Call)]
    return isinstance(left, ast.BinOp) and any(_name(call.func) in CLOCKS for call in calls)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def words_of(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name)}


def public_names(tree: ast.Module | Definition) -> Iterator[str]:
    """Names that another module may use: of what is defined, and of the members of classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found = [node.name]
        elif isinstance(node, ast.AnnAssign):
            found = [node.target.id] if isinstance(node.target, ast.Name) else []
        elif isinstance(node, ast.Assign):
            found = [target.id for target in node.targets if isinstance(target, ast.Name)]
        else:
            found = []
        yield from (name for name in found if not name.startswith("_"))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_names(node)
