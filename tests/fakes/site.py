"""A web site of our own, on an origin that is not Clarion's: pages with a browser SDK on each."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from fakes import npm
from fakes.chromium import CLIENTS, unpack

BUNDLED = ("segment", "rudderstack", "customerio")
_PAGE = '<!doctype html>\n<title>Shop</title>\n<script src="/{name}.js"></script>\n'


def build(directory: Path, write_key: str) -> None:
    """`/{sdk}.html` for each SDK that is bundled, and `/snippet.html` with Segment's snippet, which
    loads `/analytics.js/v1/{write_key}/analytics.min.js`."""
    modules = npm.installed(CLIENTS, then=unpack)
    browser = CLIENTS / "browser"
    bundle(modules, directory, *(browser / f"{name}.mjs" for name in BUNDLED))
    for name in BUNDLED:
        (directory / f"{name}.html").write_text(_PAGE.format(name=name))
    shutil.copy(browser / "snippet.html", directory)
    library = directory / "analytics.js" / "v1" / write_key / "analytics.min.js"
    library.parent.mkdir(parents=True)
    shutil.copy(modules / "@segment/analytics-next/dist/umd/standalone.js", library)


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
