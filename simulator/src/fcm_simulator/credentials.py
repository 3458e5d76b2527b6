"""What the simulator must own to be believed: a certificate authority, and accounts it honours.

Both are files in its data directory, so that they survive a restart.
"""

import ipaddress
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

CA_FILE = "simulator-ca.pem"
CERT_FILE = "simulator-cert.pem"
CERT_KEY_FILE = "simulator-cert.key"
ACCOUNTS_DIR = "simulator-accounts"
VALID_DAYS = 365
GOOGLES_NAMES = (
    "fcm.googleapis.com",
    "oauth2.googleapis.com",
    "www.googleapis.com",
    "iid.googleapis.com",
)
"""In the certificate, too: some clients know no other hosts, and can only be led astray."""


def ensure_certificates(data_dir: Path, host: str) -> None:
    """A fresh authority and a certificate it signed for `host`, this machine and Google's names.

    The authority's key is thrown away: nobody can sign with it later.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    if (data_dir / CA_FILE).exists() and _still_fits(data_dir / CERT_FILE, host, now):
        return
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clarion FCM simulator CA")])
    ca = _signed(ca_name, ca_name, ca_key, ca_key, now, is_authority=True, names=[])
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clarion FCM simulator")])
    certificate = _signed(name, ca_name, key, ca_key, now, is_authority=False, names=_names(host))
    pem = serialization.Encoding.PEM
    _write(data_dir / CERT_KEY_FILE, _pem(key))
    _write(data_dir / CERT_FILE, certificate.public_bytes(pem))
    _write(data_dir / CA_FILE, ca.public_bytes(pem))


def make_key(project: str, base_url: str, data_dir: Path) -> dict[str, str]:
    """A service-account JSON for `project` that the simulator at `base_url` honours."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    key_id = digest.finalize().hex()[:40]
    email = f"clarion@{project}.iam.gserviceaccount.com"
    account = {"project_id": project, "client_email": email, "public_key": public.decode()}
    accounts = data_dir / ACCOUNTS_DIR
    accounts.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(accounts / f"{key_id}.json", json.dumps(account).encode())
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": key_id,
        "private_key": _pem(key).decode(),
        "client_email": email,
        "client_id": str(int(key_id[:12], 16)),
        "auth_uri": f"{base_url}/o/oauth2/auth",
        "token_uri": f"{base_url}/token",
        "universe_domain": "googleapis.com",
    }


def find_keys(data_dir: Path, key_id: str | None, email: str) -> list[dict[str, str]]:
    """The accounts whose key may have signed: that with this id or, where none is told, each key
    of the account with this address. Google's libraries for Node.js and Ruby tell none."""
    directory = data_dir / ACCOUNTS_DIR
    if key_id is not None:
        files = [directory / f"{key_id}.json"] if key_id.isalnum() else []
    else:
        files = sorted(directory.glob("*.json"))
    accounts = []
    for file in files:
        try:
            account: dict[str, str] = json.loads(file.read_text())
        except FileNotFoundError:
            continue
        if key_id is not None or account["client_email"] == email:
            accounts.append(account)
    return accounts


def _still_fits(path: Path, host: str, now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    certified = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return certificate.not_valid_after_utc > now + timedelta(days=7) and all(
        name in list(certified) for name in _names(host)
    )


def _names(host: str) -> list[x509.GeneralName]:
    names: dict[str, x509.GeneralName] = {}
    for host_name in (host, "localhost", "127.0.0.1", "::1", *GOOGLES_NAMES):
        try:
            names[host_name] = x509.IPAddress(ipaddress.ip_address(host_name))
        except ValueError:
            names[host_name] = x509.DNSName(host_name)
    return list(names.values())


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: Any,
    issuer_key: Any,
    now: datetime,
    *,
    is_authority: bool,
    names: list[x509.GeneralName],
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if is_authority:
        usage = dict.fromkeys(_KEY_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem


def _write(path: Path, content: bytes) -> None:
    """For its owner alone; whole or not at all: another process may be reading."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
