"""What `make test` and `make example` fetch by npm, and what they say where it cannot be had."""

import shutil
from pathlib import Path

import pytest

from support import npm
from support.pages import ROOT
from support.ports import free_ports

EXAMPLE = ROOT / "examples" / "web"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(EXAMPLE / name, tmp_path)
    return tmp_path


def test_a_registry_that_is_not_there_is_said_with_npms_words_and_the_cure(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [nobody] = free_ports(1)
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{nobody}/")
    monkeypatch.setenv("npm_config_cache", str(project / "cache"))
    with pytest.raises(npm.NpmFailed) as failed:
        npm.installed(project)
    said = str(failed.value)
    assert "ECONNREFUSED" in said
    assert "HTTPS_PROXY" in said and "--ignore=tests/clients" in said
    assert "    at " not in said
    assert not (project / "node_modules" / ".installed").exists()


def test_the_make_file_fetches_before_the_tests_and_the_example_needs_none_of_them() -> None:
    rules = (ROOT / "Makefile").read_text()
    assert "\npytest: $(VENV)/.fetched\n" in rules
    [example] = [line for line in rules.splitlines() if line.startswith("example:")]
    assert "$(VENV)/.tests" not in example and "$(VENV)/.runtime" in example
