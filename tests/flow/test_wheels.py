"""What is built can be installed: both wheels, each in an environment of its own that has nothing
but what the wheel itself asks for.

Nothing is fetched: what a wheel asks for is taken over from the environment that the tests run in,
file by file. What is not asked for is not there, so that an undeclared dependency fails here.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path
from zipfile import Path as ZipPath

import pytest
from packaging.requirements import Requirement

from support.pages import ROOT
from support.patience import PATIENCE

pytestmark = pytest.mark.xdist_group("wheels")

SITE = Path("lib") / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


@dataclass(frozen=True, slots=True)
class Wheels:
    clarion: Path
    simulator: Path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    directory = tmp_path_factory.mktemp("dist")
    for project in (ROOT, ROOT / "simulator"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
        subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=PATIENCE)
    (clarion,) = directory.glob("clarion-*.whl")
    (simulator,) = directory.glob("fcm_simulator-*.whl")
    return Wheels(clarion, simulator)


def test_the_same_source_makes_the_same_bytes_wherever_and_whenever(
    wheels: Wheels, tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy.with_name(name))  # with times of now
    (copy.parent / "src").mkdir()
    shutil.copytree(
        ROOT / "src",
        copy.parent / "src",
        ignore=shutil.ignore_patterns("__pycache__"),
        copy_function=shutil.copyfile,
        dirs_exist_ok=True,
    )
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(copy)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=PATIENCE)
    [again] = copy.glob("*.whl")
    assert again.read_bytes() == wheels.clarion.read_bytes()


class Environment:
    """A virtual environment with wheels of ours, and the working directory of its commands."""

    def __init__(self, directory: Path, *wheels: Path) -> None:
        self._bin = directory / "venv" / "bin"
        self._home = directory / "home"
        self._home.mkdir()
        venv = [sys.executable, "-m", "venv", "--without-pip", str(directory / "venv")]
        subprocess.run(venv, check=True, timeout=PATIENCE)
        for dependency in dependencies(wheels):
            take_over(dependency, directory / "venv" / SITE)
        self._pip("install", "--quiet", "--no-index", "--no-deps", *map(str, wheels))
        self._pip("check")

    def run(self, command: str, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return subprocess.run(
            [self._bin / command, *words],
            cwd=self._home,
            env=kept | {"HOME": str(self._home), "COLUMNS": "200", **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def lacking(self, *modules: str) -> list[str]:
        """Those that are not there to be imported."""
        script = (
            "import sys\n"
            "from importlib.util import find_spec\n"
            "print(*(name for name in sys.argv[1:] if find_spec(name) is None))\n"
        )
        return self.run("python", "-c", script, *modules).stdout.split()

    def _pip(self, *words: str) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self._bin / "python"), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr


def dependencies(wheels: tuple[Path, ...]) -> Iterator[Distribution]:
    """All that the wheels ask for, and what that asks for; without extras, but those asked for."""
    waiting = [need for wheel in wheels for need in needs_of(opened(wheel))]
    seen = {(opened(wheel).name, "") for wheel in wheels}
    taken: set[str] = set()
    while waiting:
        need = waiting.pop()
        installed = distribution(need.name)
        if installed.name not in taken and (installed.name, "") not in seen:
            taken.add(installed.name)
            yield installed
        for extra in ("", *need.extras):
            if (installed.name, extra) not in seen:
                seen.add((installed.name, extra))
                waiting += needs_of(installed, extra)


def needs_of(distribution: Distribution, extra: str = "") -> list[Requirement]:
    needs = [Requirement(text) for text in distribution.requires or ()]
    return [need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})]


def opened(wheel: Path) -> Distribution:
    (info,) = (entry for entry in ZipPath(wheel).iterdir() if entry.name.endswith(".dist-info"))
    return PathDistribution(info)


def take_over(installed: Distribution, site: Path) -> None:
    """Link every file of a distribution that lies in its site-packages, not its commands: what was
    compiled of them, too, which takes half a minute where it has to be done again."""
    for file in installed.files or ():
        source = Path(str(file.locate()))
        if ".." in file.parts or not source.exists():
            continue
        link = site / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)


@pytest.fixture(scope="module")
def clarion_alone(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("clarion"), wheels.clarion)


@pytest.fixture(scope="module")
def simulator_alone(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("simulator"), wheels.simulator)


def test_clarion_migrates_and_checks_itself_without_the_simulator(
    clarion_alone: Environment,
) -> None:
    migrated = clarion_alone.run("clarion", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    with socket.create_server(("127.0.0.1", 0)) as fcm:
        url = f"https://127.0.0.1:{fcm.getsockname()[1]}"
        checked = clarion_alone.run("clarion", "check", CLARION_FCM_URL=url)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "broker" in checked.stdout
    asked = clarion_alone.run("clarion", "simulator", "--help")
    assert "not installed: pip install fcm-simulator" in asked.stdout


def test_clarion_brings_nothing_that_only_the_simulator_needs(clarion_alone: Environment) -> None:
    others = ["fcm_simulator", "granian", "h2", "googleapiclient", "watchfiles", "websockets"]
    assert clarion_alone.lacking("uvloop", "httptools", *others) == others
    serving = clarion_alone.run("python", "-c", "import clarion.app")
    assert serving.returncode == 0, serving.stderr


def test_the_simulator_serves_without_clarion(simulator_alone: Environment) -> None:
    assert simulator_alone.lacking("fcm_simulator", "clarion") == ["clarion"]
    asked = simulator_alone.run("fcm-simulator", "--help")
    assert (asked.returncode, "--http2-faults" in asked.stdout) == (0, True)
    script = (
        "from fcm_simulator.process import simulated_fcm\n"
        "with simulated_fcm() as fcm:\n"
        "    fcm.key('shop')\n"
        "    print(fcm.stats()['schema'])\n"
    )
    served = simulator_alone.run("python", "-c", script)
    assert (served.stdout, served.stderr) == ("full\n", "")


def test_side_by_side_clarion_offers_the_simulators_commands(
    wheels: Wheels, tmp_path: Path
) -> None:
    both = Environment(tmp_path, wheels.clarion, wheels.simulator)
    made = both.run("clarion", "simulator", "key", "--project", "shop", "--out", "shop.json")
    assert made.returncode == 0, made.stderr
    assert both.run("clarion", "migrate").returncode == 0
    added = both.run(
        "clarion", "firebase-apps", "add", "shop.json", CLARION_FCM_URL="https://127.0.0.1:8443"
    )
    assert added.returncode == 0, added.stderr
