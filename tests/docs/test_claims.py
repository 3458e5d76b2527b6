"""What pages say of the product is so: the commands and settings that they name exist, and what
they call missing does not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from clarion.cli import commands
from clarion.config import SETTINGS
from support.pages import ROOT, name_of, pages, prose

# The changelog tells of what was; references are generated, and ask for nothing.
CLAIMING = [
    page for page in pages() if page.name != "CHANGELOG.md" and "reference" not in page.parts
]

_SPAN = re.compile(r"`([^`\n]+)`")
_SETTING = re.compile(r"\bCLARION_[A-Z_]+[A-Z]\b")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_MISSING_HEADING = re.compile(r"\b(?:not there|not yet|not built|missing)\b", re.IGNORECASE)
_MISSING = re.compile(
    r"\b(?:can ?not|is not|are not|no)\b[^.:;]*\byet\b|\bnot built\b|\bnot implemented\b|"
    r"\bdoes not exist\b|\bplanned for later\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{4,}")
COMMON = frozenset(
    {"add", "ask", "bind", "campaigns", "cancel", "check", "counts", "create", "customers", "demo"}
    | {"devices", "events", "find", "history", "keys", "list", "pause", "removals", "report"}
    | {"restore", "resume", "revoke", "run", "schedule", "serve", "set", "show", "simulator"}
    | {"deliveries", "role", "sources", "stale", "tail", "timeline", "workspace"}
)
"""Commands whose names say of themselves what nobody would call a feature, or much else."""


def leaves(group: object = commands, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, by its words."""
    for name, inner in group.resolved_commands().items():  # type: ignore[attr-defined]
        if name.startswith("-"):
            continue
        if inner.resolved_commands().keys() - {"--help", "-h", "--version"}:
            yield from leaves(inner, (*path, name))
        yield (*path, name)


LEAVES = sorted(set(leaves()))


def spans(page: Path) -> Iterator[str]:
    for span in _SPAN.findall(prose(page)):
        if span.startswith("clarion "):
            yield span


@pytest.mark.parametrize("page", CLAIMING, ids=name_of)
def test_every_command_that_a_page_names_in_a_sentence_exists(page: Path) -> None:
    known = {" ".join(leaf) for leaf in LEAVES}
    for span in spans(page):
        words = re.split(r"\s", span.removeprefix("clarion "))
        if words[0].startswith("-") or not words[0].isascii() or "…" in words[0]:
            continue
        # "clarion customers merge | unmerge" names both; options and arguments follow the words.
        for place in range(len(words), 0, -1):
            if " ".join(words[:place]) in known:
                break
        else:
            pytest.fail(f"there is no `{span}`")
        options = [word for word in words if word.startswith("--") and len(word) > 2]
        for option in options:
            assert option.split("=")[0] in help_of(words[:place]), f"{option} of `{span}`"


def help_of(words: list[str]) -> str:
    """What the reference tells of a command, which is what its help tells."""
    text = (ROOT / "docs" / "reference" / "cli.md").read_text()
    _, _, section = text.partition(f"# clarion {' '.join(words)}\n")
    return re.split(r"^#+ clarion ", section, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("page", CLAIMING, ids=name_of)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    known = {setting.name for setting in SETTINGS}
    for name in _SETTING.findall(page.read_text()):
        # A name may stand for all that begin so, as CLARION_FCM_… does.
        assert name in known or any(one.startswith(f"{name}_") for one in known), name


def missing(text: str) -> Iterator[str]:
    """The sentences in which a page says that something is not there."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    parts = _HEADING.split(text)
    for heading, section in zip(["", *parts[1::2]], parts[0::2], strict=True):
        for sentence in re.split(r"(?<=[.;])\s+|\n\s*[-|] ?|\n\n", section):
            sentence = " ".join(sentence.split())
            if _MISSING.search(sentence) or (sentence and _MISSING_HEADING.search(heading)):
                yield sentence


def denied(sentence: str) -> set[str]:
    """The commands that do what a sentence says is not there."""
    words = _WORD.findall(re.sub(r"`[^`]*`", "", sentence).lower())
    return {
        " ".join(leaf)
        for leaf in LEAVES
        if leaf[-1] not in COMMON and any(word.startswith(_stem(leaf[-1])) for word in words)
    }


def _stem(verb: str) -> str:
    return verb.removesuffix("e")


@pytest.mark.parametrize("page", CLAIMING, ids=name_of)
def test_nothing_that_there_is_a_command_for_is_called_missing(page: Path) -> None:
    for sentence in missing(page.read_text()):
        assert not denied(sentence), f"{sentence!r}: there is {denied(sentence)}"


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("Signed identity is not built yet.", "sources sign"),
        ("There is no rate limit for each key yet.", "sources limit"),
        ("Customers can not be erased yet.", "customers erase"),
        ("No export of a person exists yet.", "customers export"),
        ("## What is not there yet\n\nA console, merging customers by hand.", "customers merge"),
    ],
)
def test_a_page_that_has_fallen_behind_is_found(said: str, command: str) -> None:
    (sentence,) = missing(said)
    assert command in denied(sentence)
