"""The documentation is one site that is whole by itself."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from docs.site_pages import ELSEWHERE, rewritten
from docs.site_versions import build

from support.pages import ROOT
from support.patience import PATIENCE

LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
NOT_LOADED = {"canonical", "alternate", "next", "prev"}


class Loads(HTMLParser):
    """What a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("rel") not in NOT_LOADED:
            self.addresses += [given.get(LOADING.get(tag, "")) or ""]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    ended = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return directory


def test_the_site_is_built_strictly_and_loads_nothing_of_other_hosts(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text())
        assert any(loads.addresses)
        assert not [
            address for address in loads.addresses if "://" in address or address.startswith("//")
        ], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", style.read_text()), style


def test_every_page_of_the_repository_is_in_the_site(site: Path) -> None:
    found = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    titles = {one["title"] for one in found}
    assert {"From Amazon Pinpoint", "How far it scales"} <= titles
    for name in ELSEWHERE.values():
        assert (site / name.removesuffix(".md") / "index.html").exists() or name == "index.md"


def test_language_models_find_every_page(site: Path) -> None:
    text = (site / "llms.txt").read_text()
    assert text.startswith("# Clarion\n\n> Clarion is a self-hosted")
    addresses = re.findall(r"^- \[.+?\]\((.+?)\)(?:: \S|$)", text, re.MULTILINE)
    assert len(addresses) == len(re.findall("^- ", text, re.MULTILINE)) > 60
    for address in addresses:
        assert (site / address / "index.html").exists(), address


def test_each_release_has_a_folder_and_the_newest_is_shown_first(tmp_path: Path) -> None:
    root, built = tmp_path / "repository", tmp_path / "site"
    (root / "docs").mkdir(parents=True)
    shown = {"site_name": "Bell", "theme": {"name": "material", "font": False}}

    def git(*words: str) -> None:
        author = ["-c", "user.name=Test", "-c", "user.email=test@shop.example"]
        subprocess.run(["git", *author, *words], cwd=root, check=True, capture_output=True)

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "Begin without a site")
    git("tag", "v0.1.0")
    (root / "mkdocs.yml").write_text(json.dumps(shown))
    for version in ("v0.9.0", "v0.10.0", "experiment"):
        (root / "docs" / "index.md").write_text(f"# Bell of {version}")
        git("add", ".")
        git("commit", "--quiet", "--message", version)
        git("tag", version)
    (root / "docs" / "index.md").write_text("# Bell of tomorrow")
    assert build(root, built) == ["next", "0.10.0", "0.9.0"]
    for name, title in (("next", "tomorrow"), ("0.10.0", "v0.10.0"), ("0.9.0", "v0.9.0")):
        page = (built / name / "index.html").read_text()
        assert f"Bell of {title}</h1>" in page and '"provider": "mike"' in page, name
    listed = json.loads((built / "versions.json").read_text())
    assert [one["version"] for one in listed if one["aliases"] == ["latest"]] == ["0.10.0"]
    assert "url=0.10.0/index.html" in (built / "index.html").read_text()
    left = sorted(path.name for path in root.iterdir() if path.name != ".git")
    assert left == ["docs", "mkdocs.yml"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[a](guides/limits.md#caps)", "[a](guides/limits.md#caps)"),
        ("[a](../README.md)", "[a](index.md)"),
        ("[a](../src/clarion/app.py) b", "a b"),
        ("[two\nlines](../CHANGELOG.md)", "[two\nlines](project/changelog.md)"),
        ("[a](https://example.org)", "[a](https://example.org)"),
        ("text:\n- one\n  - inner\n- two", "text:\n\n- one\n    - inner\n- two"),
        ("1. one\n   - inner\n   goes on", "1. one\n    - inner\n    goes on"),
        ("```sh\n- [a](../src/x.py)\n```", "```sh\n- [a](../src/x.py)\n```"),
    ],
)
def test_a_page_is_written_for_the_repository_and_read_in_the_site(written: str, read: str) -> None:
    assert rewritten(written, "tutorial.md") == read
