"""What is in force is shown with where it comes from, and no secret."""

import pytest

from clarion.config import SETTINGS
from support.command import Clarion

PASSWORD, SECRET = "hidden-password", "a secret that is long enough"


def test_every_setting_is_shown_with_its_origin(
    bare: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = bare.home / "secret"
    secret.write_text(SECRET)
    monkeypatch.setenv("CLARION_SECRET_KEY_FILE", str(secret))
    monkeypatch.setenv("CLARION_DATABASE_URL", f"postgresql://clarion:{PASSWORD}@db/clarion")
    shown = {one["setting"]: one for one in bare.json("config")}
    assert list(shown) == [setting.name for setting in SETTINGS]
    assert shown["CLARION_SECRET_KEY"] == {
        "setting": "CLARION_SECRET_KEY",
        "value": "***",
        "from": str(secret),
    }
    assert shown["CLARION_DATABASE_URL"]["value"] == "postgresql://clarion:***@db/clarion"
    assert shown["CLARION_DATABASE_URL"]["from"] == "environment"
    assert (shown["CLARION_LISTEN"]["value"], shown["CLARION_LISTEN"]["from"]) == (
        "127.0.0.1:8080",
        "default",
    )


def test_no_secret_is_shown_and_a_wrong_setting_is_named(
    bare: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting in SETTINGS:
        if setting.is_secret:
            monkeypatch.setenv(setting.name, SECRET)
    monkeypatch.setenv("CLARION_BROKER_URL", f"nats://clarion:{PASSWORD}@nats:4222")
    monkeypatch.setenv("CLARION_LOG", "loud")
    code, out, errors = bare("config")
    assert code == 2
    assert "CLARION_LOG must be" in errors
    assert SECRET not in out + errors and PASSWORD not in out + errors
    assert "CLARION_LOG" in out


def test_commands_elsewhere_take_their_key_from_a_file(
    bare: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLARION_URL", "https://127.0.0.1:1")
    monkeypatch.setenv("CLARION_API_KEY_FILE", str(bare.home / "nowhere"))
    code, _, errors = bare("keys", "list")
    assert (code, "CLARION_API_KEY_FILE" in errors) == (2, True)
    (bare.home / "nowhere").write_text("clk_0123456789\n")
    assert bare("keys", "list")[0] == 4, "it was asked for, and nobody listens there"
