"""`fcm-simulator`, as it is typed."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fcm_simulator import __version__
from fcm_simulator.cli import read_listen, read_url, run
from harness import PATIENCE

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_tells_every_option_and_the_exit_codes(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    for word in ("--listen", "--data-dir", "--plain", "--strict", "--registrations"):
        assert word in told
    for word in ("--http2-faults", "key", "For example:", "Exit codes:", "fcm-simulator-data"):
        assert word in told
    assert "clarion" not in told.lower()
    assert run(["key", "--help"]) == 0
    assert "fcm-simulator key --project shop --out shop.json" in capsys.readouterr().out


def test_it_tells_its_version(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_a_key_is_for_its_owner_alone_and_leads_to_the_simulator(
    home: Path, capsys: Captured
) -> None:
    words = ["key", "--project", "shop", "--out", "shop.json", "--url", "https://localhost:9/"]
    assert run(words) == 0
    assert capsys.readouterr().out == "shop.json is a key of project shop.\n"
    key = json.loads((home / "shop.json").read_text())
    assert (key["project_id"], key["token_uri"]) == ("shop", "https://localhost:9/token")
    assert stat.S_IMODE((home / "shop.json").stat().st_mode) == 0o600
    assert len(list((home / "fcm-simulator-data" / "simulator-accounts").iterdir())) == 1


def test_a_script_is_told_in_json_where_a_key_is(home: Path, capsys: Captured) -> None:
    assert run(["key", "--project", "shop", "--out", "shop.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"project_id": "shop", "file": "shop.json"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--listen", "here"], "--listen must be HOST:PORT"),
        (["--listen", "::1:8443"], "an IPv6 address goes in brackets"),
        (["--lisen", "here"], "Unknown option"),
        (["key", "--project", "shop"], "requires an argument"),
        (["key", "--project", "p", "--out", "k", "--url", "http://fcm.example"], "must be https"),
    ],
)
def test_a_wrong_argument_ends_with_two_and_makes_nothing(
    home: Path, capsys: Captured, words: list[str], told: str
) -> None:
    assert run(words) == 2
    out, errors = capsys.readouterr()
    assert told in errors
    assert out == ""
    assert list(home.iterdir()) == []


def test_what_can_not_be_written_is_named(home: Path, capsys: Captured) -> None:
    assert run(["key", "--project", "shop", "--out", "nowhere/shop.json"]) == 1
    assert "nowhere/shop.json can not be written" in capsys.readouterr().err
    (home / "file").write_text("no directory")
    assert run(["--listen", "127.0.0.1:0", "--data-dir", "file/data"]) == 1
    assert "can not be used: Not a directory" in capsys.readouterr().err


def test_a_seed_that_can_not_be_read_is_said_and_nothing_is_served(
    home: Path, capsys: Captured
) -> None:
    (home / "seed").write_text('{"token": "t"}\n{"tokn": "t"}\n')
    assert run(["--registrations", "seed"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "line 2" in told.err
    assert "tokn" in told.err


def test_a_port_that_is_taken_is_said_in_a_line(home: Path, capsys: Captured) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["--listen", f"127.0.0.1:{taken.getsockname()[1]}"]) == 1
    out, errors = capsys.readouterr()
    assert out == ""
    assert "Address already in use" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_it_serves_until_ctrl_c(home: Path, encoding: str) -> None:
    """Whatever the encoding of the console is; its signs have no place in ASCII."""
    with subprocess.Popen(
        [sys.executable, "-m", "fcm_simulator", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"FCM simulator on https://127.0.0.1")
        assert b"/simulator/" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, errors) == (128 + signal.SIGINT, b"", b"")
    assert (home / "fcm-simulator-data" / "simulator-ca.pem").exists()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8443", ("127.0.0.1", 8443)),
        ("[::1]:0", ("::1", 0)),
        (":443", ("0.0.0.0", 443)),
        ("localhost:65535", ("localhost", 65_535)),
    ],
)
def test_where_to_listen_is_read(text: str, address: tuple[str, int]) -> None:
    assert read_listen(text) == address


@pytest.mark.parametrize("text", ["", "8443", "host:", "host:x", "host:65536", "::1:80"])
def test_where_nobody_can_listen_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|brackets"):
        read_listen(text)


@pytest.mark.parametrize(
    "text", ["https://fcm.test:8443", "http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"]
)
def test_the_address_of_a_simulator_is_read(text: str) -> None:
    assert read_url(text + "/") == text


@pytest.mark.parametrize(
    "text",
    ["", "nowhere", "ftp://x", "https://", "http://fcm.example", "https://a?b=c", "https://[::1"],
)
def test_another_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        read_url(text)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="without a user or a password") as refused:
        read_url("https://u:hunter2@fcm.example")
    assert "hunter2" not in str(refused.value)
