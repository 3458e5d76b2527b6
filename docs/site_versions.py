"""The site with a folder a version: `python -m docs.site_versions`, which `make site` runs.

    site/index.html      leads to the newest release
    site/versions.json   what the menu of versions lists
    site/0.2.0/          the site as the tag v0.2.0 has it
    site/next/           the site of this checkout

Without tags, as in a clone that has none, there is `next` alone. Each version is built by what it
says itself, `mkdocs.yml` and hook, with the MkDocs that is installed now. The files are of the form
that the theme reads from mike, the usual tool for this; mike keeps what it builds as commits on a
branch, and a site of plain files asks for none.
"""

import json
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
NEXT = "next"
_TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
_LEAD = """<!doctype html>
<meta charset="utf-8">
<title>Clarion</title>
<meta http-equiv="refresh" content="0; url={0}/index.html">
<a href="{0}/index.html">Clarion {0}</a>
"""
_VERSIONED = "INHERIT: mkdocs.yml\nextra:\n  generator: false\n  version:\n    provider: mike\n"


def build(root: Path, site: Path) -> list[str]:
    """Build every version of the repository at `root` into `site`; returns them, newest first."""
    releases = [
        version
        for version in _releases(_git(root, "tag", "--list").decode().split())
        if _git(root, "ls-tree", f"v{version}", "mkdocs.yml")  # else there was no site yet
    ]
    _build(root, site / NEXT)
    for version in releases:
        with TemporaryDirectory() as directory:
            archive = _git(root, "archive", "--format=zip", f"v{version}")
            with ZipFile(BytesIO(archive)) as files:
                files.extractall(directory)
            _build(Path(directory), site / version)
    versions = [NEXT, *releases]
    newest = versions[1] if len(versions) > 1 else NEXT
    listed = [
        {"version": version, "title": version, "aliases": ["latest"] if version == newest else []}
        for version in versions
    ]
    (site / "versions.json").write_text(json.dumps(listed, indent=1))
    (site / "index.html").write_text(_LEAD.format(newest))
    return versions


def _releases(tags: list[str]) -> list[str]:
    """Of all tags those that name a release, the newest first."""
    found = [match for tag in tags if (match := _TAG.fullmatch(tag))]
    found.sort(key=lambda match: tuple(map(int, match.groups())), reverse=True)
    return [match[0][1:] for match in found]


def _build(root: Path, site: Path) -> None:
    """Strictly, with the menu of versions: as `mkdocs.yml` says, and one thing more."""
    # Beside that of the version, for its folders are named from there.
    with NamedTemporaryFile("w", dir=root, prefix=".mkdocs-", suffix=".yml") as settings:
        settings.write(_VERSIONED)
        settings.flush()
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
        command += ["--config-file", settings.name, "--site-dir", str(site.resolve())]
        subprocess.run(command, cwd=root, check=True)


def _git(root: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True).stdout


if __name__ == "__main__":
    built = build(ROOT, ROOT / "site")
    sys.stdout.write(f"site/index.html: {', '.join(built)}\n")
