"""`clarion simulator`, as it is typed."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from clarion.cli import run
from clarion.cli.installation.simulator import MISSING
from support.patience import PATIENCE


def test_a_seed_that_can_not_be_read_is_said_and_nothing_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = tmp_path / "seed"
    seed.write_text('{"token": "t"}\n{"tokn": "t"}\n')
    assert run(["simulator", "--data-dir", str(tmp_path), "--registrations", str(seed)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "line 2" in told.err
    assert "tokn" in told.err


def test_a_port_that_is_taken_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for more in ([], ["--http2-faults"]):
            told = ["simulator", "--listen", address, "--data-dir", str(tmp_path), *more]
            assert run(told) == 1
            out, err = capsys.readouterr()
            assert out == ""
            assert "Address already in use" in err
            assert len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    "words",
    [
        ["simulator", "--listen", "127.0.0.1:0"],
        ["simulator", "key", "--project", "shop", "--out", "shop.json"],
        ["demo"],
    ],
    ids=" ".join,
)
def test_where_the_simulator_is_not_installed_one_line_says_the_cure(
    tmp_path: Path, words: list[str]
) -> None:
    ended = without_simulator(tmp_path, *words)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert " ".join(ended.stderr.split()) == f"error: {MISSING}"
    assert list(tmp_path.iterdir()) == []


def test_where_the_simulator_is_not_installed_all_else_is_as_ever(tmp_path: Path) -> None:
    overview = without_simulator(tmp_path, "--help")
    assert overview.returncode == 0
    assert "simulator" in overview.stdout
    assert without_simulator(tmp_path, "migrate").returncode == 0


def without_simulator(directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """`clarion` in a process for which the package is not there: None says so to an import."""
    program = (
        "import sys; sys.modules['fcm_simulator'] = None\nfrom clarion.cli import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
