"""A version has one number, wherever it stands, and a section in the changelog."""

import re
import subprocess
import sys
import tomllib

import yaml

from clarion import __version__
from support.pages import ROOT, pages

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
VERSIONS = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", CHANGELOG, re.M)


def test_the_number_stands_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    manifests = (ROOT / "deploy" / "kubernetes" / "clarion.yaml").read_text()
    assert set(re.findall(r"image: clarion:(\S+)", manifests)) == {__version__}
    [job] = [one for one in yaml.safe_load_all(manifests) if one["kind"] == "Job"]
    assert job["metadata"]["name"] == f"migrate-{__version__}"


def test_pages_name_the_wheel_that_is_built() -> None:
    named = {
        (page, version)
        for page in pages()
        for version in re.findall(r"\bclarion-(\d+\.\d+\.\d+)-py3", page.read_text())
    }
    assert named and {version for _, version in named} == {__version__}, named


def test_the_command_tells_it() -> None:
    command = [sys.executable, "-m", "clarion.cli", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == __version__


def test_each_version_has_a_section_the_newest_first() -> None:
    assert CHANGELOG.index("## [Unreleased]") < CHANGELOG.index(f"## [{VERSIONS[0]}]")
    assert VERSIONS[0] == __version__
    numbers = [tuple(map(int, version.split("."))) for version in VERSIONS]
    assert numbers == sorted(numbers, reverse=True)
