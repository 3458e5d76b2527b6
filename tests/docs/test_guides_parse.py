"""What the guides show for phones is at least their language: nothing here can run it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_dart_orchard
import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language, Node, Parser

from support import npm
from support.pages import Block, blocks, name_of, pages

PARSERS = {
    "dart": Parser(Language(tree_sitter_dart_orchard.language())),
    "kotlin": Parser(Language(tree_sitter_kotlin.language())),
    "swift": Parser(Language(tree_sitter_swift.language())),
}
SHOWN = [(page, block) for page in pages() for block in blocks(page)]
FOREIGN = [(page, block) for page, block in SHOWN if block.language in PARSERS]


def faults(node: Node) -> Iterator[int]:
    """The lines at which something is not the language, or misses."""
    if node.is_error or node.is_missing:
        yield node.start_point.row + 1
    for child in node.children:
        yield from faults(child)


def first_line(case: object) -> str:
    if isinstance(case, Block):
        return case.text.strip().partition("\n")[0][:40]
    return name_of(case) if isinstance(case, Path) else ""


@pytest.mark.parametrize(("page", "block"), FOREIGN, ids=first_line)
def test_a_block_for_phones_is_its_language(page: Path, block: Block) -> None:
    tree = PARSERS[block.language].parse(block.text.encode())
    assert list(faults(tree.root_node)) == [], f"lines of a block of {name_of(page)}"


def test_every_platform_is_shown() -> None:
    assert {block.language for _, block in FOREIGN} == set(PARSERS)


@pytest.mark.parametrize("language", PARSERS)
def test_what_is_spoilt_is_seen(language: str) -> None:
    """A bracket or a quote less, anywhere in what is shown, is nearly always seen."""
    parser = PARSERS[language]
    spoilt = seen = 0
    for _, block in FOREIGN:
        if block.language == language:
            for at, character in enumerate(block.text):
                if character in "(){}[]\"'":
                    text = block.text[:at] + block.text[at + 1 :]
                    spoilt += 1
                    seen += parser.parse(text.encode()).root_node.has_error
    assert seen > 0.95 * spoilt > 0


def test_every_block_of_javascript_is_javascript(tmp_path: Path) -> None:
    files = []
    for number, (_, block) in enumerate(one for one in SHOWN if one[1].language == "js"):
        file = tmp_path / f"{number}.mjs"
        file.write_text(block.text)
        files.append(file)
    assert files
    faulty = [
        file.read_text()
        for file in files
        if subprocess.run([str(npm.NODE), "--check", str(file)], check=False).returncode
    ]
    assert faulty == []
