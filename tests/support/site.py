"""A web site of our own, on an origin that is not Clarion's: pages with a browser SDK on each."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page

from support import npm
from support.chromium import CLIENTS, unpack
from support.patience import PATIENCE
from support.sdks import Call

BUNDLED = ("segment", "rudderstack", "customerio")
_PAGE = '<!doctype html>\n<title>Shop</title>\n<script src="/{name}.js"></script>\n'

_SAY = """
(calls) => {
  for (const { type, userId, groupId, event, name, traits, properties } of calls) {
    if (type === "identify") sdk.identify(userId, traits);
    if (type === "group") sdk.group(groupId, traits);
    if (type === "page") sdk.page(name, properties);
    if (type === "track") sdk.track(event, properties);
  }
}
"""


@dataclass
class PageSdk:
    """A page with an SDK that sends."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    """Whom the page has asked for anything."""
    console: list[str] = field(default_factory=list)
    """What the page's developer reads."""

    async def say(self, calls: Sequence[Call]) -> None:
        """Hand calls over; when they are sent is the SDK's own business."""
        await self.page.evaluate(_SAY, calls)


async def page_sdk(
    browser: Browser, site: str, name: str, port: int, key: str, query: str = ""
) -> PageSdk:
    """The page of the SDK `name`, sending to this machine's `port`."""
    opened = PageSdk(await browser.new_page())
    opened.page.set_default_timeout(PATIENCE * 1_000)
    opened.page.on("request", lambda request: opened.hosts.add(urlsplit(request.url).netloc))
    opened.page.on("console", lambda message: opened.console.append(message.text))
    await opened.page.goto(f"{site}/{name}.html{query}")
    start = "([url, key]) => { window.sdk = start(url, key); }"
    await opened.page.evaluate(start, [f"http://127.0.0.1:{port}", key])
    return opened


def build(directory: Path) -> None:
    """`/{sdk}.html` for each SDK that is bundled, and `/snippet.html` with Segment's snippet, which
    loads its library from the collector."""
    modules = npm.installed(CLIENTS, then=unpack)
    browser = CLIENTS / "browser"
    sources = [browser / f"{name}.mjs" for name in BUNDLED]
    shutil.copytree(_bundled(modules, sources), directory, dirs_exist_ok=True)
    for name in BUNDLED:
        (directory / f"{name}.html").write_text(_PAGE.format(name=name))
    shutil.copy(browser / "snippet.html", directory)


def analytics_js() -> Path:
    """Segment's browser library as its npm package brings it."""
    modules = npm.installed(CLIENTS, then=unpack)
    return modules / "@segment" / "analytics-next" / "dist" / "umd" / "standalone.js"


def _bundled(modules: Path, sources: Sequence[Path]) -> Path:
    """Where the scripts are that were made of these packages and sources: once, for all tests."""
    digest = sha256((modules / ".installed").read_bytes())
    for source in sources:
        digest.update(source.read_bytes())
    made = modules / f".bundled-{digest.hexdigest()[:16]}"
    if not made.exists():
        with TemporaryDirectory(dir=modules) as making:
            bundle(modules, Path(making) / "made", *sources)
            with suppress(OSError):  # another process was faster
                (Path(making) / "made").rename(made)
    return made


def bundle(modules: Path, directory: Path, *sources: Path) -> None:
    """One script of each source, with the packages that it imports."""
    command = [str(modules / "esbuild" / "bin" / "esbuild"), *map(str, sources)]
    command += ["--bundle", f"--outdir={directory}", "--log-level=warning"]
    subprocess.run(command, env=npm.environment(), check=True)


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """The address of a site of these files."""
    handler = partial(_Quiet, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
