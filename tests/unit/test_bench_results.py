"""What `make bench` keeps, and the pictures that it draws of it."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bench.plots import Bar, picture
from bench.results import Part, keep, read

MACHINE = {"cores": "2"}
SVG = "{http://www.w3.org/2000/svg}"


def measured(at: str, **columns: Any) -> Part:
    return Part(at, MACHINE, columns)


def test_a_run_of_one_part_leaves_the_others_as_they_were_measured(tmp_path: Path) -> None:
    first = measured("2026-01-01T00:00:00+00:00", sqlite={"CPU µs an event": 100.0})
    keep({"ingestion": first, "quota": first}, tmp_path, tmp_path)
    second = measured("2026-02-01T00:00:00+00:00", sqlite={"CPU µs an event": 90.0})
    keep({"ingestion": second}, tmp_path, tmp_path)
    assert read(tmp_path) == {"ingestion": second, "quota": first}
    page = (tmp_path / "latest.md").read_text()
    assert page.index(second.at) < page.index("### ingestion") < page.index(first.at)
    assert page.index(first.at) < page.index("### quota")


def test_there_is_nothing_to_read_before_the_first_run(tmp_path: Path) -> None:
    assert read(tmp_path) == {}


def test_a_picture_has_a_bar_for_each_with_the_servers_share_beside_ours(tmp_path: Path) -> None:
    campaign = measured(
        "2026-01-01T00:00:00+00:00",
        sqlite={"seconds, launch to settled": 2.0, "pushes/s": 9_000,
                "CPU µs a push": 60.0, "database CPU µs a push": 0.0},
        postgresql={"seconds, launch to settled": 1.0, "pushes/s": 11_000,
                    "CPU µs a push": 40.0, "database CPU µs a push": 20.0},
        h2load={"pushes/s": 50_000, "CPU µs a push": 15.0},
        npm={"CPU µs a push": 30.0},
    )  # fmt: skip
    keep({"campaign": campaign}, tmp_path, tmp_path)
    tree = ElementTree.fromstring((tmp_path / "push.svg").read_text())
    texts = [text.text for text in tree.iter(f"{SVG}text")][1:]
    assert texts == ["sqlite", "60.0", "postgresql", "60.0", "h2load", "15.0", "npm", "30.0"]
    widths = [float(rect.attrib["width"]) for rect in tree.iter(f"{SVG}rect") if "x" in rect.attrib]
    sqlite, ours, server, limit, _ = widths
    assert sqlite == pytest.approx(ours + server, abs=0.2)
    assert ours == pytest.approx(2 * server, abs=0.2)
    assert limit == pytest.approx(sqlite / 4, abs=0.2)
    speeds = ElementTree.fromstring((tmp_path / "pushes.svg").read_text())
    names = [text.text for text in speeds.iter(f"{SVG}text")][1::2]
    assert names == ["h2load", "postgresql", "sqlite"]


def test_a_name_with_markup_is_shown_as_text() -> None:
    drawn = picture("a < b", [Bar("<script>", ours=1.0)])
    assert "<script>" not in drawn
    assert ElementTree.fromstring(drawn).attrib["aria-label"] == "a < b"
