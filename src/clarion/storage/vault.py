"""Keeps secrets encrypted at rest (Fernet: AES-128-CBC with HMAC-SHA256)."""

import base64
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_FILE = "secret.key"


class VaultLocked(Exception):
    """What is stored was sealed with another key: set CLARION_SECRET_KEY to the one used then."""


class Vault:
    """Seals bytes with one key, and opens what was sealed with it or with a former one."""

    def __init__(self, key: bytes, former: Sequence[bytes] = ()) -> None:
        """`key`, and each of `former`: 32 bytes, base64url, as Fernet makes them."""
        self._fernet = Fernet(key)
        self._former = [Fernet(secret) for secret in former]

    def seal(self, plain: bytes) -> bytes:
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """Raises VaultLocked where it was sealed with none of the keys."""
        for fernet in (self._fernet, *self._former):
            try:
                return fernet.decrypt(sealed)
            except InvalidToken:
                continue
        raise VaultLocked

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the key that seals now."""
        try:
            self._fernet.decrypt(sealed)
        except InvalidToken:
            return False
        return True


class OnDemandVault(Vault):
    """A vault that is loaded, and its key file made, when something is to be sealed or opened."""

    def __init__(self, load: Callable[[], Vault]) -> None:
        self._load = load

    @cached_property
    def _loaded(self) -> Vault:
        return self._load()

    def seal(self, plain: bytes) -> bytes:
        return self._loaded.seal(plain)

    def open(self, sealed: bytes) -> bytes:
        """See `Vault.open`."""
        return self._loaded.open(sealed)

    def is_current(self, sealed: bytes) -> bool:
        """See `Vault.is_current`."""
        return self._loaded.is_current(sealed)


def load_or_make_vault(data_dir: Path, secret: str | None, former: Sequence[str] = ()) -> Vault:
    """The vault of `secret`; without one, of a key file in `data_dir`, made with mode 0600. It
    opens what `former` secrets have sealed as well, and the key file, where one is beside.

    A setting may hold what a key file held, as when a key moves to other machines: it opens what
    that file sealed."""
    earlier = [key for secret in former for key in (_derived(secret), *_as_key_file(secret))]
    if secret:
        earlier.extend(_as_key_file(secret))
        path = data_dir / KEY_FILE
        if path.exists():
            earlier.append(path.read_bytes().strip())
        return Vault(_derived(secret), earlier)
    path = data_dir / KEY_FILE
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f"{KEY_FILE}.", dir=data_dir)  # mode 0600
        draft = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # another process may have been first: its key stands
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return Vault(path.read_bytes().strip(), earlier)


def _as_key_file(secret: str) -> list[bytes]:
    """The key, where the secret is what a key file holds."""
    key = secret.strip().encode()
    try:
        Fernet(key)
    except ValueError:
        return []
    return [key]


def _derived(secret: str) -> bytes:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"clarion vault")
    return base64.urlsafe_b64encode(derived.derive(secret.encode()))
