"""What our pages tell people to type works as it stands there.

A block is marked by a comment on the line before it: `run`, `run: in the background` (a terminal of
its own), `run: until it succeeds` (what it asks for comes a moment later), `prints` (what the
commands before it have printed, line by line, spaces aside). A page's blocks run in their order in
an empty directory; only ports, database and broker are others, and `make serve` is the command
that it runs.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from clarion.cli import commands
from clarion.cli.context import without_workspace
from support import curl
from support.nats import NatsServer
from support.pages import ROOT, Block, blocks, name_of, pages
from support.patience import PATIENCE
from support.ports import free_ports
from support.postgres import PostgresServer
from support.ready_command import ready_command
from support.sampling import is_soak

RUNNING = [page for page in pages() if any(block.mark == "run" for block in blocks(page))]
SERVED, SIMULATED = "8080", "8443"
"""The ports that pages name."""
DATABASE, BROKER = "postgresql://clarion:secret@127.0.0.1/clarion", "nats://127.0.0.1:4222"
"""The servers that pages name."""

_LISTENS = {"simulator --listen": SIMULATED, "serve": SERVED, "collector": SERVED}
_ASSIGNMENT = re.compile(r"[A-Z_]+=")
_UNTIL = """
tries=0
until (
set +o pipefail  # what `grep -q` has seen enough of may end early
{text}); do
  tries=$((tries + 1)); [ $tries -lt 3000 ] || exit 1; sleep 0.1
done
"""


class Terminal:
    """Runs a page's blocks in `directory`."""

    def __init__(self, directory: Path, more: Mapping[str, str]) -> None:
        """`more`: of the environment, with the PATH."""
        self.directory = directory
        self.ports = dict(zip((SERVED, SIMULATED), map(str, free_ports(2)), strict=True))
        self.servers: dict[str, str] = {}
        bin_ = directory / "bin"
        bin_.mkdir()
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CLARION_")
        } | {
            **more,
            "PATH": f"{bin_}:{more['PATH']}",
            "HOME": str(directory),
            "NO_PROXY": "127.0.0.1",
            "CLARION_LISTEN": f"127.0.0.1:{self.ports[SERVED]}",
        }
        if shutil.which("curl") is None:
            (bin_ / "curl").write_text(f'#!/bin/sh\nexec {sys.executable} {curl.__file__} "$@"\n')
            (bin_ / "curl").chmod(0o755)

    def run(self, script: str) -> str:
        """What a script prints."""
        ended = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{self._here(script)}"],
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + self._logs()
        return ended.stdout

    @contextmanager
    def beside(self, block: Block) -> Iterator[None]:
        """A block in a terminal of its own, once it listens; interrupted in the end."""
        listens = next((named for word, named in _LISTENS.items() if word in block.text), None)
        log = self.directory / f"{len(list(self.directory.glob('*.log')))}.log"
        with log.open("wb") as told:
            process = subprocess.Popen(
                ["bash", "-c", self._here(block.text)],
                cwd=self.directory,
                env=self._environment,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )
        try:
            if listens is not None:
                self._until_it_listens(self.ports[listens], process)
            yield
            assert process.poll() is None, self._logs()
        finally:
            end(process)

    def _until_it_listens(self, port: str, process: "subprocess.Popen[bytes]") -> None:
        latest = monotonic() + PATIENCE
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                    return
            assert process.poll() is None and monotonic() < latest, self._logs()
            sleep(0.05)

    def _here(self, text: str) -> str:
        """With our servers and ports. In one pass: a port of ours may contain one that is named."""
        ours = {**self.servers, **self.ports, "make serve": "clarion serve"}
        named = "|".join(map(re.escape, ours))
        return re.sub(named, lambda found: ours[found[0]], text)

    def _logs(self) -> str:
        return "".join(f"\n{log.name}:\n{log.read_text()}" for log in self.directory.glob("*.log"))


def end(process: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C does; a session of its own has the number of the process that began it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of shells that know `clarion`."""
    if is_soak():
        yield {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return
    with ready_command(tmp_path_factory.mktemp("shell")) as environment:
        yield environment


@pytest.fixture
async def terminal(
    tmp_path: Path, page: Path, shell: Mapping[str, str], request: pytest.FixtureRequest
) -> AsyncIterator[Terminal]:
    made = Terminal(tmp_path, shell)
    text = "".join(block.text for block in blocks(page))
    async with AsyncExitStack() as stack:
        if DATABASE in text:
            postgres: PostgresServer = request.getfixturevalue("postgres")
            made.servers[DATABASE] = await stack.enter_async_context(postgres.new_database())
        if BROKER in text:
            nats: NatsServer = request.getfixturevalue("nats")
            made.servers[BROKER] = nats.url("pages")
        yield made


@pytest.mark.parametrize("page", RUNNING, ids=name_of)
async def test_what_a_page_says_to_type_works(terminal: Terminal, page: Path) -> None:
    script = ""
    with ExitStack() as stack:
        for block in blocks(page):
            match block.mark, block.language:
                case "run: in the background", "sh":
                    terminal.run(script)  # before another terminal is opened
                    script = ""
                    stack.enter_context(terminal.beside(block))
                case "run", "sh":
                    script += block.text
                case "run", "python":
                    script += f"python - <<'END'\n{block.text}END\n"
                case "run: until it succeeds", "sh":
                    script += _UNTIL.format(text=block.text)
        printed = terminal.run(script)
    lines = {" ".join(line.split()) for line in printed.splitlines()}
    for block in blocks(page):
        if block.mark == "prints":
            for line in block.text.splitlines():
                assert " ".join(line.split()) in lines | {""}, printed


def test_pages_that_run_something_are_found() -> None:
    names = {name_of(page) for page in RUNNING}
    assert {"README.md", "docs/tutorial.md", "docs/guides/collect/index.md"} <= names


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_mark_is_known(page: Path) -> None:
    known = {"", "run", "run: in the background", "run: until it succeeds", "prints"}
    assert {block.mark for block in blocks(page)} <= known


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_command_of_a_page_can_be_read(page: Path) -> None:
    """Those that are shown but not run, too: no command or option that there is not."""
    for block in blocks(page):
        if block.language != "sh":
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            words = _words(line)
            if words[:1] in (["clarion"], ["fcm-simulator"]):
                known = commands if words[0] == "clarion" else commands["simulator"]
                _, _, unused, _ = known.parse_known_args(without_workspace(words[1:])[0])
                assert not unused, line


def _words(line: str) -> list[str]:
    """A line's words without the settings before them and what it is piped into."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return []  # a quotation over several lines
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    return words[: words.index("|")] if "|" in words else words


def test_a_port_of_ours_that_contains_one_that_is_named_stays_whole(
    tmp_path: Path, shell: Mapping[str, str]
) -> None:
    terminal = Terminal(tmp_path, shell)
    terminal.servers[BROKER] = "nats://127.0.0.1:48080"
    terminal.ports[SERVED] = "58443"
    assert terminal._here(f"{BROKER} :{SERVED}") == "nats://127.0.0.1:48080 :58443"


def test_make_serve_is_the_command_that_is_run_for_it() -> None:
    rule = (ROOT / "Makefile").read_text().split("\nserve:")[1].split("\n\n")[0]
    assert "$(BIN)/clarion serve" in rule
