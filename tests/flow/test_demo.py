"""`clarion demo`, small: it plays, it balances, and it ends where nobody watches."""

import os
import subprocess
import sys
from pathlib import Path

from support.patience import PATIENCE


def run_demo(*arguments: str, directory: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name[:8] != "CLARION_"}
    return subprocess.run(
        [sys.executable, "-m", "clarion.cli", "demo", *arguments],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_demo_balances_and_ends(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    ended = run_demo("--scale", "0.02", "--data-dir", str(data_dir), directory=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Everything balances" in ended.stdout
    log = (data_dir / "serve.log").read_text()
    assert "APA91b" not in log, "a registration token is never logged"
    assert "PRIVATE KEY" not in log


def test_the_demo_leaves_an_installation_alone(tmp_path: Path) -> None:
    data_dir = str(tmp_path / "data")
    environment = os.environ | {"CLARION_DATA_DIR": data_dir}
    made = [sys.executable, "-m", "clarion.cli", "migrate"]
    done = subprocess.run(made, env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    ended = run_demo("--scale", "0.02", "--data-dir", data_dir, directory=tmp_path)
    assert ended.returncode == 5
    assert "empty directory" in " ".join(ended.stderr.split())
