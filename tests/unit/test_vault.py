"""Secrets at rest: sealed with one key, opened by no other, and the key file is made once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from clarion.storage.vault import KEY_FILE, Vault, VaultLocked, load_or_make_vault

vault = Vault(Fernet.generate_key())


@given(st.binary(max_size=5_000))
def test_what_is_sealed_opens_to_the_same(plain: bytes) -> None:
    sealed = vault.seal(plain)
    assert vault.open(sealed) == plain
    assert sealed != vault.seal(plain)


def test_what_is_sealed_does_not_show_it() -> None:
    assert b"private_key" not in vault.seal(b"private_key")


def test_another_key_does_not_open_it() -> None:
    sealed = vault.seal(b"secret")
    with pytest.raises(VaultLocked):
        Vault(Fernet.generate_key()).open(sealed)


@given(st.integers(0, 99), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    sealed = bytearray(vault.seal(b"secret"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(VaultLocked):
        vault.open(bytes(sealed))


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"gAAAA", b"\x00" * 100, b"\xff"])
def test_rubbish_does_not_open(rubbish: bytes) -> None:
    with pytest.raises(VaultLocked):
        vault.open(rubbish)


def test_the_same_secret_makes_the_same_vault_anywhere(tmp_path: Path) -> None:
    sealed = load_or_make_vault(tmp_path / "one", "a secret").seal(b"key")
    assert load_or_make_vault(tmp_path / "two", "a secret").open(sealed) == b"key"
    with pytest.raises(VaultLocked):
        load_or_make_vault(tmp_path, "another secret").open(sealed)
    assert list(tmp_path.iterdir()) == []


def test_without_a_secret_a_key_file_is_made_that_only_its_owner_reads(tmp_path: Path) -> None:
    home = tmp_path / "data" / "clarion"
    sealed = load_or_make_vault(home, None).seal(b"key")
    assert stat.S_IMODE((home / KEY_FILE).stat().st_mode) == 0o600
    assert load_or_make_vault(home, "").open(sealed) == b"key"
    assert [path.name for path in home.iterdir()] == [KEY_FILE]


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        vaults = list(threads.map(lambda _: load_or_make_vault(tmp_path, None), range(8)))
    sealed = vaults[0].seal(b"key")
    assert all(one.open(sealed) == b"key" for one in vaults)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("spelled", ["{}", " {}\n"])
def test_what_a_key_file_holds_opens_as_a_setting_what_the_file_sealed(
    tmp_path: Path, spelled: str
) -> None:
    sealed = load_or_make_vault(tmp_path / "first", None).seal(b"key")
    moved = spelled.format((tmp_path / "first" / KEY_FILE).read_text())
    by_setting = load_or_make_vault(tmp_path / "second", moved)
    assert by_setting.open(sealed) == b"key"
    assert not by_setting.is_current(sealed)  # so that `clarion secrets rotate` seals it anew
    assert load_or_make_vault(tmp_path / "third", "a new secret", [moved]).open(sealed) == b"key"
    with pytest.raises(VaultLocked):
        load_or_make_vault(tmp_path / "third", "a new secret").open(sealed)
