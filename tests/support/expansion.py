"""Which revisions of the schema old processes can go on beside: those that only add.

A rolling upgrade migrates first, while processes of the version before still run; so a revision may
add what they need not know, and take nothing away that they use. What they no longer use is removed
by a revision of a later version, which says so: `phase = "contract"`, with the version since which
nobody uses it in its docstring.
"""

import ast
from collections.abc import Iterator

TAKES_AWAY = frozenset(
    {"drop_column", "drop_table", "drop_index", "drop_constraint", "rename_table", "alter_column"}
)
LIMITS = frozenset(
    {"create_unique_constraint", "create_check_constraint", "create_foreign_key",
     "create_exclude_constraint", "create_primary_key"}
)  # fmt: skip
"""What rows of old processes may not meet."""
CONTRACT = "contract"


def is_contract(tree: ast.Module) -> bool:
    """Whether the revision says that it removes what no process uses any more, and since when."""
    says = any(
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "phase"
        and isinstance(node.value, ast.Constant)
        and node.value.value == CONTRACT
        for node in tree.body
    )
    return says and "unused since" in (ast.get_docstring(tree) or "")


def faults(source: str) -> list[str]:
    """Why old processes can not go on beside a revision; empty: they can."""
    tree = ast.parse(source)
    if is_contract(tree):
        return []
    upgrade = [
        node
        for node in tree.body
        if not (isinstance(node, ast.FunctionDef) and node.name == "downgrade")
    ]
    calls = [
        node
        for part in upgrade
        for node in ast.walk(part)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    made = {_text(call.args[0]) for call in calls if _name(call) == "create_table" and call.args}
    added = {
        column
        for call in calls
        if _name(call) == "add_column"
        for column in _columns(call)
        if column is not None
    }
    found: list[str] = []
    for call in calls:
        found += _faults_of(call, made, added)
    return found


def _faults_of(call: ast.Call, made: set[str | None], added: set[str]) -> Iterator[str]:
    name = _name(call)
    table = _text(call.args[0]) if call.args else None
    if name in TAKES_AWAY:
        # An index is nobody's but the database's; one that is made anew is no loss.
        if name != "drop_index":
            yield f"{name} at line {call.lineno}: old processes still use it"
    elif name in LIMITS:
        on = _text(call.args[1]) if len(call.args) > 1 else None
        if on not in made:
            yield f"{name} at line {call.lineno}: rows of old processes may not keep it"
    elif name == "create_index" and _is_true(call, "unique"):
        on = _text(call.args[1]) if len(call.args) > 1 else None
        columns = call.args[2] if len(call.args) > 2 else None
        names = {_text(one) for one in getattr(columns, "elts", [])}
        if on not in made and not names & added:
            yield f"a unique index at line {call.lineno}: rows of old processes may not keep it"
    elif name == "add_column" and table not in made:
        for column in (one for one in ast.walk(call) if _is_column(one)):
            assert isinstance(column, ast.Call)
            keywords = {keyword.arg for keyword in column.keywords}
            if not _is_true(column, "nullable") and "server_default" not in keywords:
                yield (
                    f"add_column at line {call.lineno}: old processes insert no value; make it "
                    "nullable, or give it a server_default"
                )
    elif name in ("execute", "text") and table is not None:
        words = table.upper().split()
        if "DROP" in words or "RENAME" in words:
            yield f"{' '.join(words[:3])} at line {call.lineno}: old processes still use it"


def _columns(call: ast.Call) -> list[str | None]:
    return [
        _text(column.args[0])
        for column in ast.walk(call)
        if _is_column(column) and isinstance(column, ast.Call) and column.args
    ]


def _is_column(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and (
        isinstance(node.func, ast.Attribute) and node.func.attr == "Column"
    )


def _name(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_true(call: ast.Call, name: str) -> bool:
    return any(
        keyword.arg == name
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in call.keywords
    )
