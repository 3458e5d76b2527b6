"""What Clarion writes is for its owner alone, whichever of its processes writes first."""

import json
import os
import stat
import subprocess
from pathlib import Path
from time import monotonic, sleep

import pytest

from clarion.cli.installation.first_start import prepare
from clarion.clock import SystemClock
from clarion.config import Settings, read_settings
from clarion.storage.database import Database
from fcm_simulator.process import simulated_fcm
from support.command import Clarion
from support.pages import ROOT, blocks
from support.processes import installation
from support.ready_command import ready_command, started
from support.terminal import SECONDS_MAX, Terminal, environment
from support.terminal import run as run_command

USUAL_UMASK = "umask 022"


def run(home: Path, *commands: str) -> None:
    """Commands of a shell with the usual umask, each ended before the next."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    script = "\n".join([USUAL_UMASK, *commands])
    with ready_command(home.parent / "shell") as shell:
        subprocess.run(
            ["bash", "-ec", script], cwd=home, env=own | shell, check=True, capture_output=True
        )


def open_ones(directory: Path) -> dict[str, str]:
    """What in `directory` others may read, change or enter."""
    found = {}
    for path in [directory, *directory.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode != (0o700 if path.is_dir() else 0o600):
            found[path.name] = oct(mode)
    return found


@pytest.mark.parametrize(
    "commands",
    [
        ("clarion migrate",),
        ("clarion simulator key --project shop --out clarion-data/shop.json", "clarion migrate"),
        (
            "clarion migrate",
            "clarion sources create app",
            "clarion export customers --out clarion-data/customers.csv",
            "echo '{\"nothing\": 1}' > clarion-data/c.ndjson; chmod 600 clarion-data/c.ndjson",
            "clarion import customers clarion-data/c.ndjson --source app || true",
        ),
    ],
    ids=["migrate", "simulator first", "export and import"],
)
def test_all_that_a_command_writes_is_for_its_owner_alone(
    tmp_path: Path, commands: tuple[str, ...]
) -> None:
    run(tmp_path, *commands)
    assert open_ones(tmp_path / "clarion-data") == {}


def test_a_simulator_that_starts_first_makes_the_directory_for_its_owner_alone(
    tmp_path: Path,
) -> None:
    data = tmp_path / "clarion-data"
    usual = os.umask(0o022)
    try:
        with simulated_fcm(data) as fcm:
            fcm.key("shop")
            run(tmp_path, "clarion migrate")
    finally:
        os.umask(usual)
    assert open_ones(data) == {}


async def test_a_process_that_serves_writes_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    usual = os.umask(0o022)
    try:
        async with installation(
            tmp_path, {"DATA_DIR": str(data), "LISTEN": "127.0.0.1:0"}
        ) as clarion:
            process = await clarion.serve()
            await process.listening()
            served = open_ones(data)
    finally:
        os.umask(usual)
    assert served == {}


async def test_a_database_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    settings = read_settings({"CLARION_DATA_DIR": str(tmp_path / "data")})
    assert isinstance(settings, Settings)
    usual = os.umask(0)
    try:
        database = Database(settings.database_url)
        await prepare(settings, database, SystemClock())
        made = open_ones(tmp_path / "data")
        await database.close()
    finally:
        os.umask(usual)
    assert made == {}


@pytest.mark.parametrize(
    ("name", "mode"),
    [("", 0o755), ("clarion.db", 0o644), ("secret.key", 0o640), ("clarion.db-wal", 0o604)],
)
def test_check_tells_what_others_may_read_and_the_cure(
    clarion: Clarion, name: str, mode: int
) -> None:
    data = clarion.home / "data"
    clarion.json("migrate")
    for path in [data, *data.iterdir()]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert _files(clarion)["result"] == "ok"
    path = data / name if name else data
    if name and not path.exists():
        path.touch()
    path.chmod(mode)
    finding = _files(clarion)
    assert finding["result"] == "wrong"
    assert path.name in finding["detail"]
    cure = finding["detail"].split("others: ")[1].split(" (")[0]
    subprocess.run(["sh", "-c", cure], check=True)
    assert _files(clarion)["result"] == "ok"


def _files(clarion: Clarion) -> dict[str, str]:
    findings = json.loads(clarion("check", "--json")[1])
    return next(finding for finding in findings if finding["part"] == "files")


KEY_FILE = "first-api-key"


@pytest.mark.parametrize("tokens", [("migrate",), ("migrate", "--json"), ("serve",)])
def test_the_first_key_is_in_a_file_and_in_no_log(home: Path, tokens: tuple[str, ...]) -> None:
    """Neither in what a service manager writes to its journal nor in what a script prints."""
    log = home / "log"
    with log.open("wb") as told:
        process = started(
            *tokens,
            environment=environment(home, CLARION_LISTEN="127.0.0.1:0"),
            directory=home,
            stdout=told,
            stderr=told,
        )
        latest = monotonic() + SECONDS_MAX
        while tokens == ("serve",) and b"listens on" not in log.read_bytes():
            assert process.poll() is None and monotonic() < latest, log.read_text()
            sleep(0.05)
        if tokens == ("serve",):
            process.terminate()
        assert process.wait(SECONDS_MAX) == 0
    file = home / "data" / KEY_FILE
    key = file.read_text().strip()
    assert key.startswith("clk_")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key not in log.read_text()
    assert str(file) in log.read_text()


def test_on_a_terminal_the_first_key_is_shown_and_in_no_file(home: Path) -> None:
    terminal = Terminal(home, ("migrate",))
    assert terminal.end() == 0
    assert b"clk_" in terminal.shown
    assert not (home / "data" / KEY_FILE).exists()


def test_a_file_of_a_stranger_in_the_place_of_the_key_is_not_written_to(home: Path) -> None:
    (home / "data").mkdir(mode=0o700)
    elsewhere = home / "elsewhere"
    elsewhere.write_text("")
    (home / "data" / KEY_FILE).symlink_to(elsewhere)
    assert run_command(home, "migrate").returncode == 0
    assert elsewhere.read_text() == ""
    assert (home / "data" / KEY_FILE).read_text().startswith("clk_")


def test_a_key_that_can_not_be_kept_is_not_made(home: Path) -> None:
    (home / "data" / KEY_FILE).mkdir(parents=True)
    ended = run_command(home, "migrate")
    assert ended.returncode == 0
    assert b"first_api_key_not_made" in ended.stderr
    assert json.loads(run_command(home, "keys", "list", "--json").stdout) == []


def test_the_backup_that_the_guide_shows_is_for_its_owner_alone(tmp_path: Path) -> None:
    guide = ROOT / "docs/guides/backup.md"
    (shown,) = [block.text for block in blocks(guide) if "clarion backup clarion-" in block.text]
    run(tmp_path, "clarion migrate", shown)
    (copy,) = tmp_path.glob("*.backup")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
