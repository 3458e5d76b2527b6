"""What the process of a role loads, and what it leaves to others."""

import os
import signal
import subprocess
import sys

import pytest

from clarion.app import Role
from support.patience import PATIENCE

_AT_EXIT = """
import atexit, pathlib, sys
atexit.register(lambda: pathlib.Path({path!r}).write_text("\\n".join(sys.modules)))
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """`sys.modules` of `clarion run` at its end, with all roles."""
    directory = tmp_path_factory.mktemp("roles")
    loaded = directory / "loaded"
    (directory / "sitecustomize.py").write_text(_AT_EXIT.format(path=str(loaded)))
    own = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    environment = own | {"CLARION_LISTEN": "127.0.0.1:0"}
    command = [sys.executable, "-m", "clarion.cli"]
    subprocess.run(
        [*command, "migrate"], cwd=directory, env=environment, check=True, capture_output=True
    )
    with subprocess.Popen(
        [*command, "run", *Role],
        cwd=directory,
        env=environment | {"PYTHONPATH": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Clarion listens on http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    return set(loaded.read_text().split())


@pytest.mark.xdist_group("role process")
@pytest.mark.parametrize(
    "part",
    [
        "cyclopts",
        "rich",
        "pygments",
        "watchfiles",
        "websockets",
        "clarion.cli.program",
        "clarion.cli.output",
        "clarion.cli.demo",
        "fcm_simulator",
        "granian",
        "h2",
        "googleapiclient",
        "segment",
        "opentelemetry.sdk",
        "opentelemetry.exporter",
    ],
)
def test_a_role_loads_nothing_of_the_command_line_or_the_simulator(
    modules: set[str], part: str
) -> None:
    assert {name for name in modules if f"{name}.".startswith(f"{part}.")} == set()


@pytest.mark.xdist_group("role process")
def test_what_a_role_loads_is_seen(modules: set[str]) -> None:
    assert {
        "clarion.app",
        "clarion.cli.installation.roles",
        "litestar",
        "sqlalchemy",
        "pycurl",
    } <= modules
