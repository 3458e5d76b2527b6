"""The image's steps, run one by one in an empty root (`support.image`), and what they make, run as
an engine runs it: as its user, on a root that can only be read.

No engine is needed, and nothing is fetched. Two things stand in for what the image takes from
elsewhere: `FROM python:3.13-slim` is the Python that runs the tests in a root with nothing but what
that image has, too, and `pip download` of the lock is the same versions, packed again as wheels
from where the tests' own environment has them. So neither the base image's packages nor the
lock's hashes are tried here; pip looks at the latter whenever `make` installs.
"""

import re
import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from support.container import Container, running
from support.image import Stage, build, instructions, why_not
from support.pages import ROOT

pytestmark = pytest.mark.xdist_group("image")

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
LOCK = ROOT / "requirements.lock"


def locked() -> Iterator[Requirement]:
    """What the lock names for this Python and this machine."""
    for line in re.findall(r"^([a-z0-9][^\\\n]*)", LOCK.read_text(), re.MULTILINE):
        need = Requirement(line.strip())
        if need.marker is None or need.marker.evaluate():
            yield need


def pack(installed: Distribution, folder: Path) -> None:
    """An installed distribution as the wheel that it came from."""
    tags = re.findall(r"^Tag: (.+)$", installed.read_text("WHEEL") or "", re.MULTILINE)
    places = zip(*(tag.split("-") for tag in tags), strict=True)
    tag = "-".join(".".join(dict.fromkeys(place)) for place in places)
    name = re.sub(r"[-_.]+", "_", installed.name)
    with ZipFile(folder / f"{name}-{installed.version}-{tag}.whl", "w") as wheel:
        for file in installed.files or ():
            source = Path(str(file.locate()))
            if ".." not in file.parts and "__pycache__" not in file.parts and source.exists():
                wheel.write(source, str(file))


def bring_wheels(stage: Stage) -> None:
    """In place of `pip download`."""
    folder = stage.inside("/wheels")
    folder.mkdir()
    for need in locked():
        installed = distribution(need.name)
        assert need.specifier.contains(installed.version, prereleases=True), need
        pack(installed, folder)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if reason := why_not():
        pytest.skip(reason)
    directory = tmp_path_factory.mktemp("image")
    yield build(DOCKERFILE, ROOT, directory, {"pip download": bring_wheels})
    shutil.rmtree(directory)  # half a gigabyte, which is not kept for anybody to look at


@pytest.fixture(scope="module")
def container(image: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with running(image, tmp_path_factory.mktemp("container")) as started:
        yield started


def test_every_step_but_the_fetching_is_run() -> None:
    found = [rest for word, rest in instructions(DOCKERFILE.read_text()) if word == "RUN"]
    assert len([rest for rest in found if "pip download" in rest]) == 1
    assert not [rest for rest in found if re.search(r"apt-get|curl|wget|git ", rest)]


def test_it_serves_as_nobody_in_particular_and_its_health_check_is_answered(
    container: Container,
) -> None:
    container.healthy()
    status = Path(f"/proc/{container.first}/status").read_text()
    assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.MULTILINE)
    assert re.search(r"^Groups:\s*$", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)


def test_it_checks_itself_and_finds_nothing_wrong(container: Container) -> None:
    """FCM is out of reach there: something that listens stands in its place."""
    container.healthy()
    checked = container.execute("clarion", "check", CLARION_FCM_URL="https://127.0.0.1:8080")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_writes_to_its_volume_and_nowhere_else(container: Container) -> None:
    container.healthy()
    tried = container.execute("sh", "-c", "for d in / /etc /opt/clarion /usr; do echo > $d/x; done")
    assert tried.stderr.count("Read-only file system") == 4, tried.stderr
    listed = container.execute("ls", "/var/lib/clarion")
    assert "clarion.db" in listed.stdout


def test_the_last_stage_has_nothing_of_what_built_it(image: Stage) -> None:
    for path in ("/build", "/wheels", "/opt/build", "/opt/clarion/bin/hatchling"):
        assert not image.inside(path).exists(), path


def test_it_stops_in_order_when_it_is_asked_to(image: Stage, tmp_path: Path) -> None:
    with running(image, tmp_path) as started:
        started.healthy()
        assert started.stop() == 0, started.log.read_text()


def test_nothing_of_it_is_left_when_a_test_has_ended(image: Stage, tmp_path: Path) -> None:
    with running(image, tmp_path) as started:
        started.healthy()
        first = started.first
    assert not Path(f"/proc/{first}").exists()


def test_a_step_that_asks_for_more_than_the_base_image_has_ends_the_build(image: Stage) -> None:
    with pytest.raises(AssertionError, match="curl: not found"):
        image.run("curl --version")
