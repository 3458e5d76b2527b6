"""The kinds of module are what they say: found by what they do, none is listed by hand.

A **noun** is values and rules: no I/O, no clock, no randomness. Its docstring's first paragraph
ends with "Pure.", and whatever in a station could say so does.
"""

import ast
from functools import cache
from pathlib import Path

from support.each import of_each
from support.pages import ROOT

SOURCE = ROOT / "src" / "clarion"
FACES = ("cli", "web")
"""Folders of translation, whose modules need not say that they are pure."""
IMPURE = frozenset(
    {"aiosqlite", "asyncio", "asyncpg", "http", "litestar", "logging", "nats", "os", "pathlib",
     "pycurl", "random", "secrets", "socket", "sqlalchemy", "ssl", "structlog", "subprocess",
     "tempfile", "threading", "time", "urllib.request", "uvicorn"}
)  # fmt: skip
CLOCKS = ("clarion.clock.Clock", "clarion.clock.SystemClock")


def modules() -> list[Path]:
    return [
        path
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "__init__.py" and "migrations" not in path.parts
    ]


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


NAMES = {
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path for path in modules()
}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Modules, and what is taken out of them."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def says_pure(path: Path) -> bool:
    """Read off the text: the modules are parsed when a test asks for them, not to collect it."""
    first = path.read_text().removeprefix('"""').split('"""')[0].split("\n\n")[0]
    return " ".join(first.split()).endswith("Pure.")


@cache
def impure_imports_of(path: Path) -> frozenset[str]:
    """What a module imports itself that no noun may."""
    return frozenset(
        name
        for name in imports_of(path)
        if name in CLOCKS or any(name == other or name.startswith(f"{other}.") for other in IMPURE)
    )


@cache
def ours_imported_by(path: Path) -> frozenset[Path]:
    return frozenset(
        NAMES[name] for name in imports_of(path) & NAMES.keys() if name != "clarion.clock"
    )


def impurities_of(path: Path) -> set[str]:
    """What a module reaches, itself or through modules of ours, that no noun may."""
    impurities: set[str] = set()
    reached, waiting = {path}, [path]
    while waiting:
        module = waiting.pop()
        impurities |= {f"{name_of(module)}: {name}" for name in impure_imports_of(module)}
        further = ours_imported_by(module) - reached
        reached |= further
        waiting += further
    return impurities


@of_each([module for module in modules() if says_pure(module)])
def test_what_says_that_it_is_pure_reaches_nothing_impure(path: Path) -> None:
    assert impurities_of(path) == set()


def test_there_are_nouns_to_be_found() -> None:
    assert sum(map(says_pure, modules())) > 80


@of_each([module for module in modules() if module.relative_to(SOURCE).parts[0] not in FACES])
def test_what_is_pure_in_a_station_says_so(path: Path) -> None:
    assert says_pure(path) or impurities_of(path)


@of_each(modules())
def test_statements_stand_in_stores_and_queries_alone(path: Path) -> None:
    """What else names SQLAlchemy names its connection, to hand it on, or its errors."""
    if path.relative_to(SOURCE).parts[0] in ("storage", "brokers") or path.name.endswith(
        ("store.py", "queries.py", "query.py")
    ):
        return
    statements = {
        name
        for name in imports_of(path)
        if name.startswith("sqlalchemy")
        and not name.startswith(("sqlalchemy.ext", "sqlalchemy.exc"))
    }
    assert statements == set()


@of_each(modules())
def test_only_the_dialect_asks_which_database_it_is(path: Path) -> None:
    if path.relative_to(SOURCE).parts[0] == "storage":
        return
    asks = [
        node.lineno
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr == "dialect"
    ]
    assert asks == []


@of_each(modules())
def test_rows_that_leave_a_module_are_typed(path: Path) -> None:
    """A public function takes no `row` of any kind and returns none: a struct tells what is in it.
    `storage/bulk.py` has a `Row` of its own, which is a mapping that is to be written, and a
    store returns no sequence of anything."""
    returns_rows = ["Row["]
    if path.name.endswith("store.py") and path.parent.name != "brokers":
        returns_rows += ["Sequence[Any]", "list[Any]"]
    untyped = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            taken = [
                posonlyarg.arg
                for posonlyarg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                if posonlyarg.annotation is not None
                and (
                    "Row[" in ast.unparse(posonlyarg.annotation)
                    or (
                        posonlyarg.arg in ("row", "rows")
                        and "Any" in ast.unparse(posonlyarg.annotation)
                    )
                )
            ]
            returned = ast.unparse(node.returns) if node.returns is not None else ""
            if taken or any(returns_row in returned for returns_row in returns_rows):
                untyped.append(f"{node.name}({', '.join(taken)}) -> {returned}")
    assert untyped == []


@of_each(modules())
def test_adapters_are_built_where_all_is_put_together(path: Path) -> None:
    """The provider by `app.py`, the brokers by `parts.py`; nobody else names their classes."""
    builds = {
        name
        for name in imports_of(path)
        if name.endswith((".FcmProvider", ".DatabaseBroker", ".JetStreamBroker"))
    }
    assert not builds or name_of(path) in ("app.py", "parts.py")


ASKING = {f"clarion.cli.api.{name}" for name in ("open_api", "ask", "ask_list")}
ASKING_THE_API = [
    path
    for path in modules()
    if "clarion.cli.api" in path.read_text() and ASKING & imports_of(path)
]
"""Modules of commands that are clients of the API."""


def is_free(name: str) -> bool:
    """Whether a command may use it that asks the API: text, the clock, faults, and how records
    are written in the files that it reads and writes."""
    free = ("clarion.text", "clarion.clock", "clarion.clock.SystemClock", "clarion.faults",
            "clarion.value_file")  # fmt: skip
    if not name.startswith("clarion.importing."):
        return name in free
    return name.split(".")[2] not in ("commands", "queries", "export_store")


def stations_of(path: Path, seen: frozenset[Path] = frozenset()) -> set[str]:
    """What a module of the command line reaches that is not the command line's, itself or through
    other modules of it."""
    reached: set[str] = set()
    for name in imports_of(path):
        if name not in NAMES or NAMES[name] in seen or is_free(name):
            continue
        if not name.startswith("clarion.cli."):
            reached.add(name)
        else:
            reached |= stations_of(NAMES[name], seen | {path})
    return reached


@of_each(ASKING_THE_API)
def test_a_command_that_asks_the_api_reaches_no_station(path: Path) -> None:
    assert stations_of(path) == set()


def test_there_are_commands_that_ask_the_api() -> None:
    assert {"audit.py", "keys.py", "people.py"} <= {path.name for path in ASKING_THE_API}
    assert stations_of(SOURCE / "cli" / "session.py")
