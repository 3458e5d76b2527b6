"""Signed userIds: what an app's own server makes with a secret of its source. Pure.

A signature is the HMAC-SHA256 of the userId, in hex.
"""

import hmac
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from clarion.sources.auth_result import Secret


def sign(secret: bytes, user_id: str) -> str:
    """The signature of a userId."""
    return hmac.digest(secret, user_id.encode(), "sha256").hex()


def signer_of(user_id: str, signatures: Iterable[Any], secrets: Sequence[Secret]) -> UUID | None:
    """The id of the secret that one of the signatures was made with; None: of none. A signature
    may be any JSON value. The time it takes does not tell how near a guess has come."""
    for signature in signatures:
        if not isinstance(signature, str) or not signature.isascii():
            continue
        given = signature.strip().lower()
        for secret in secrets:
            if hmac.compare_digest(given, sign(secret.text, user_id)):
                return secret.id
    return None
