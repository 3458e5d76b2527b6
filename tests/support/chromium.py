"""A headless Chromium that an npm package brings, with the libraries it needs: nothing of the
machine's own but a C library.

It is packed for x86-64 Linux only; elsewhere a `chromium` on the PATH is used.
"""

import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, async_playwright

from support import npm

CLIENTS = Path(__file__).parents[1] / "clients" / "node"

# The sandbox wants privileges that neither root nor a container has; the rest keeps Chromium from
# looking for hosts of its makers.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PACKED = ("chromium.br", "al2023.tar.br", "fonts.tar.br")
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""
_UNPACK = """
const { createReadStream, createWriteStream } = require("node:fs");
const { createBrotliDecompress } = require("node:zlib");
const [packed, out] = process.argv.slice(1);
createReadStream(packed).pipe(createBrotliDecompress()).pipe(createWriteStream(out));
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser of its own, without a past."""
    home = _home(npm.installed(CLIENTS, then=unpack))
    if _is_packed():
        program = str(home / "chromium")
    else:
        found = shutil.which("chromium")
        assert found, "the packed Chromium runs on x86-64 Linux only: install a `chromium` here"
        program = found
    with TemporaryDirectory(prefix="clarion-chromium-") as own:
        # Without a single font Chromium dies at the first button.
        fonts = Path(own) / "fonts.conf"
        fonts.write_text(_FONTS.format(fonts=home / "fonts", cache=own))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program,
                args=ARGUMENTS,
                env={
                    **os.environ,
                    "LD_LIBRARY_PATH": str(home / "lib"),
                    "FONTCONFIG_FILE": str(fonts),
                    "NO_PROXY": "127.0.0.1",
                },
            )
            yield browser
            await browser.close()


def unpack(modules: Path) -> None:
    """Take Chromium, its libraries and fonts out of their package."""
    if not _is_packed():
        return
    home = _home(modules)
    home.mkdir()
    for name in _PACKED:
        packed = modules / "@sparticuz" / "chromium" / "bin" / name
        out = home / name.removesuffix(".br")
        subprocess.run([str(npm.NODE), "-e", _UNPACK, str(packed), str(out)], check=True)
        if out.suffix == ".tar":
            with tarfile.open(out) as archive:
                archive.extractall(home)  # what is in it is locked; Debian 12 knows no filter yet
            out.unlink()
    (home / "chromium").chmod(0o755)


def _home(modules: Path) -> Path:
    return modules / ".chromium"


def _is_packed() -> bool:
    return platform.system() == "Linux" and platform.machine() == "x86_64"
