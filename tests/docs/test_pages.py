"""Pages lead somewhere: every link, path and test that they name is there."""

import re
from pathlib import Path

import pytest

from support.pages import ROOT, anchors, blocks, links, name_of, pages, prose

ARCHITECTURE = ROOT / "ARCHITECTURE.md"
STATIONS = ROOT / "src" / "clarion"
SIMULATOR = ROOT / "simulator" / "src" / "fcm_simulator"

_TEST = re.compile(r"`((?:simulator/)?tests/[\w/]+\.py)::(test_\w+)`")
_PATH = re.compile(
    r"`((?:[\w-]+/)+(?:[\w-]+\.\w+)?|[\w-]+\.(?:py|toml)|(?:tests|bench|docs|src)/[\w/-]+)`"
)


@pytest.mark.parametrize(("name", "lines_max"), [("README.md", 120), ("ARCHITECTURE.md", 200)])
def test_a_page_is_short_enough_to_be_read(name: str, lines_max: int) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= lines_max


def test_there_are_pages() -> None:
    names = {name_of(page) for page in pages()}
    assert {"README.md", "ARCHITECTURE.md", "docs/glossary.md", "docs/reference/api.md"} <= names


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_test_that_is_named_is_there(page: Path) -> None:
    for path, name in _TEST.findall(page.read_text()):
        assert re.search(rf"def {name}\(", (ROOT / path).read_text()), name


def test_every_promise_names_its_tests() -> None:
    text = ARCHITECTURE.read_text().split("## The promises")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if re.match(r"\| \d ", line)]
    assert [row[2] for row in rows] == list("123456789")
    assert all(_TEST.search(row) for row in rows)


def test_every_path_of_the_architecture_is_there() -> None:
    named = set(_PATH.findall(prose(ARCHITECTURE)))
    rooms = [package.parent for package in STATIONS.glob("*/**/__init__.py")]
    roots = [ROOT, STATIONS, *rooms, SIMULATOR, SIMULATOR / "fcm", SIMULATOR / "server"]
    lost = {one for one in named if not any((root / one).exists() for root in roots)}
    assert len(named) > 50
    assert lost == set()


def test_every_station_and_room_has_its_place_in_the_architecture() -> None:
    text = ARCHITECTURE.read_text().split("## The stations")[1].split("\n## ")[0]
    for part in STATIONS.iterdir():
        name = f"{part.name}/" if part.is_dir() else part.name
        assert name.startswith("__") or f"`{name}`" in text, name
    for room in STATIONS.glob("*/**/__init__.py"):
        folder = room.parent.relative_to(STATIONS)
        assert len(folder.parts) == 1 or f"`{folder.as_posix()}/`" in text, folder


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_names_nothing_of_anybodys_machine(page: Path) -> None:
    assert not re.search(r"/(?:root|home|work|tmp)/", page.read_text())


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_picture_of_text_fits_a_page(page: Path) -> None:
    for block in blocks(page):
        assert all(len(line) <= 128 for line in block.text.splitlines())
