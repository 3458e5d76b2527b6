"""`clarion simulator`, as it is typed."""

import socket
from pathlib import Path

import pytest

from clarion.cli import run


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
