"""What the process of a role loads, and what it leaves to others."""

import os
import re
import signal
import subprocess
import sys

import pytest

from clarion.app import Role
from support.patience import PATIENCE

LOADED = re.compile(r"^import time:[ \d|]+\| +([\w.]+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every module that `clarion run` has loaded from its start to its end, with all roles."""
    directory = tmp_path_factory.mktemp("roles")
    own = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    environment = own | {"CLARION_LISTEN": "127.0.0.1:0"}
    command = [sys.executable, "-m", "clarion.cli"]
    subprocess.run(
        [*command, "migrate"], cwd=directory, env=environment, check=True, capture_output=True
    )
    log = directory / "log"
    with (
        log.open("wb") as told,
        subprocess.Popen(
            [sys.executable, "-X", "importtime", *command[1:], "run", *Role],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=told,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Clarion listens on http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    return set(LOADED.findall(log.read_text()))


@pytest.mark.xdist_group("role process")
@pytest.mark.parametrize(
    "part",
    [
        "cyclopts",
        "clarion.cli.program",
        "clarion.cli.output",
        "clarion.cli.demo",
        "fcm_simulator",
        "granian",
        "h2",
        "googleapiclient",
        "segment",
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
