"""What the site is made of beyond `docs/`: a hook of MkDocs (`mkdocs.yml`), which `make site` runs.

Pages that lie elsewhere in the repository, such as the README, become pages of the site. Links are
written for the repository: those to pages lead within the site, and those to code become plain
text, for the site holds none. Lists are written as GitHub reads them; Python's Markdown asks for a
blank line before them, and for four spaces within.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
ELSEWHERE: Mapping[str, str] = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "simulator/README.md": "project/simulator.md",
    "bench/results/latest.md": "project/benchmark-results.md",
}
"""Pages of the repository, and where they stand in the site."""
DOCS = "docs/"
LLMS = "llms.txt"

_REPOSITORY = {site: path for path, site in ELSEWHERE.items()}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^ *(```+)")
_ITEM = re.compile(r"( *)(?:[-*+]|\d+\.) ")


def on_config(config: Any) -> Any:
    """Puts every decision into its menu: a new one needs no line elsewhere."""
    for section in config["nav"]:
        for title, pages in section.items():
            if isinstance(pages, str):
                folder = Path(config["docs_dir"]) / pages
                section[title] = [f"{pages}/{page.name}" for page in sorted(folder.glob("*.md"))]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that lie elsewhere, and `llms.txt`."""
    for path, site in ELSEWHERE.items():
        files.append(File.generated(config, site, content=(ROOT / path).read_text()))
    files.append(File.generated(config, LLMS, content=llms_text(config["nav"])))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """A page's text as Python's Markdown reads it, with the site's links."""
    return rewritten(markdown, page.file.src_uri)


def rewritten(markdown: str, site: str) -> str:
    """The text of the page at `site` (a path in the site), for the site."""
    parts = []
    for is_code, lines in groupby(_lines(markdown), key=lambda line: line[1]):
        text = "\n".join(line for line, _ in lines)
        parts.append(text if is_code else _LINK.sub(lambda link: _link(link, site), text))
    return "\n".join(_lists("\n".join(parts)))


def _link(link: re.Match[str], site: str) -> str:
    mark, text, target = link.groups()
    if "://" in target or target.startswith(("#", "mailto:")):
        return link[0]
    path, hash_, anchor = target.partition("#")
    here = _REPOSITORY.get(site, DOCS + site)
    there = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
    if there in ELSEWHERE:
        found = ELSEWHERE[there]
    elif there.startswith(DOCS) and (ROOT / there).is_file() and not there.endswith(".py"):
        found = there.removeprefix(DOCS)
    else:
        return text if not mark else ""
    relative = posixpath.relpath(found, posixpath.dirname(site) or ".")
    return f"{mark}[{text}]({relative}{hash_}{anchor})"


def _lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is one of code."""
    fence = ""
    for line in markdown.split("\n"):
        ticks = _FENCE.match(line)
        yield line, bool(fence) or ticks is not None
        if ticks is not None and not fence:
            fence = ticks[1]
        elif ticks is not None and ticks[1] == fence:
            fence = ""


def _lists(text: str) -> Iterator[str]:
    """Lists with a blank line before them, and four spaces for each step within."""
    is_list, previous, shift = False, "", 0
    for line, is_code in _lines(text):
        item, depth = _ITEM.match(line), len(line) - len(line.lstrip(" "))
        if is_code and not is_list:
            yield line
            previous = line
            continue
        if item is not None and not is_code:
            if not is_list and previous.strip():
                yield ""
            is_list = True
        elif line.strip() and depth == 0 and not is_code:
            if is_list and previous.strip() and not _ITEM.match(previous) and not item:
                pass  # a lazy line goes on with its item
            elif is_list and not previous.strip():
                is_list = False
        if is_list and depth and not is_code:
            shift = 4 * ((depth + 2) // 4 or 1) - depth
        elif not is_code:
            shift = 0
        yield " " * shift + line if is_list and line.strip() else line
        previous = line


def llms_text(nav: Any) -> str:
    """The pages of the site for language models, each with its first sentence: https://llmstxt.org."""
    lines = ["# Clarion", "", f"> {_summary('index.md')[1]}", ""]
    for section in nav:
        for title, pages in section.items():
            lines += [f"## {title}", ""]
            for site in _named(pages):
                name, sentence = _summary(site)
                lines.append(
                    f"- [{name}]({_address(site)})" + (f": {sentence}" if sentence else "")
                )
            lines.append("")
    return "\n".join(lines)


def _address(site: str) -> str:
    """Where a page of the site is read."""
    path = site.removesuffix(".md")
    return (path.removesuffix("index") or "./") if path.endswith("index") else f"{path}/"


def _named(pages: Any) -> Iterator[str]:
    for page in pages:
        if isinstance(page, str):
            yield page
        else:
            for inner in page.values():
                yield from _named(inner)


def _summary(site: str) -> tuple[str, str]:
    """A page's title, and the first sentence of its first paragraph."""
    text = (ROOT / _REPOSITORY.get(site, DOCS + site)).read_text()
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    paragraphs = [
        " ".join(part.split())
        for part in re.split(r"\n\s*\n", text)
        if not part.lstrip().startswith(("#", "<!--", "|", "```", "-", "!["))
    ]
    plain = _LINK.sub(lambda link: link[2], paragraphs[0]) if paragraphs else ""
    sentence = re.match(r".+?\.(?=\s|$)", plain)
    return (title[1] if title else site), (sentence[0] if sentence else plain)
