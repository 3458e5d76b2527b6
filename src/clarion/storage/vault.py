"""Keeps secrets encrypted at rest (Fernet: AES-128-CBC with HMAC-SHA256)."""

import base64
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_FILE = "secret.key"


class VaultLocked(Exception):
    """What is stored was sealed with another key: set CLARION_SECRET_KEY to the one used then."""


class Vault:
    """Seals and opens bytes with one key."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes, base64url, as Fernet makes them."""
        self._fernet = Fernet(key)

    def seal(self, plain: bytes) -> bytes:
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """Raises VaultLocked where the key is another one."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise VaultLocked from None


def load_or_make_vault(data_dir: Path, secret: str | None) -> Vault:
    """The vault of `secret`; without one, of a key file in `data_dir`, made with mode 0600."""
    if secret:
        derived = HKDF(
            algorithm=hashes.SHA256(), length=32, salt=None, info=b"clarion vault"
        ).derive(secret.encode())
        return Vault(base64.urlsafe_b64encode(derived))
    path = data_dir / KEY_FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
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
    return Vault(path.read_bytes().strip())
