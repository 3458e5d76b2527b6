"""The simulator's token endpoint: a signed assertion in, an access token out."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from urllib.parse import parse_qs

from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from fcm_simulator.credentials import find_keys
from fcm_simulator.fcm.faults import Refusal

TOKEN_SECONDS = 3_599
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
OLD_AUDIENCE = "https://www.googleapis.com/oauth2/v4/token"
"""Which Google's library for Ruby still uses."""
PATHS = ("/token", "/oauth2/v4/token")
SCOPES = frozenset(
    {
        "https://www.googleapis.com/auth/firebase.messaging",
        "https://www.googleapis.com/auth/cloud-platform",
    }
)
CLOCK_SKEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Granted:
    access_token: str


@dataclass(frozen=True, slots=True)
class Denied:
    error: str
    description: str


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token is good for."""

    project_id: str
    until: float


@dataclass
class TokenEndpoint:
    """Verifies assertions against the accounts in `data_dir`, and remembers what it granted."""

    data_dir: Path
    token_seconds: int = TOKEN_SECONDS
    granted: dict[str, Access] = field(default_factory=dict)
    refusal: Refusal = Refusal.NONE
    requests: int = 0
    grants: int = 0

    def grant(self, form: bytes, own_url: str) -> Granted | Denied:
        """Answer `grant_type=…&assertion=…`."""
        if self.refusal is not Refusal.NONE:
            return _REFUSED[self.refusal]
        fields = parse_qs(form.decode(errors="replace"))
        if fields.get("grant_type") != [GRANT_TYPE]:
            return Denied("unsupported_grant_type", "Invalid grant_type: use a JWT assertion.")
        assertion = fields.get("assertion", [""])[0]
        try:
            header = jwt.decode_header(assertion)
        except (ValueError, GoogleAuthError):
            return Denied("invalid_grant", "Bad Request")
        key_id, email = header.get("kid") or None, _issuer(assertion)
        accounts = find_keys(self.data_dir, None if key_id is None else str(key_id), email)
        if not accounts:
            return _ACCOUNT_UNKNOWN if key_id is None else _KEY_UNKNOWN
        account = accounts[0]
        try:
            claims = jwt.decode(
                assertion,
                certs=[account["public_key"] for account in accounts],
                audience=[GOOGLE_AUDIENCE, OLD_AUDIENCE, own_url],
                clock_skew_in_seconds=CLOCK_SKEW_SECONDS,
            )
        except (ValueError, GoogleAuthError) as error:
            return _denied(str(error))
        if claims["exp"] - claims["iat"] > 3_600:
            return _denied("expired")
        if claims.get("iss") != account["client_email"]:
            return _ACCOUNT_UNKNOWN
        if not SCOPES & set(str(claims.get("scope", "")).split()):
            return _SCOPE_UNKNOWN
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self.granted[token] = Access(account["project_id"], time() + self.token_seconds)
        self.grants += 1
        return Granted(token)

    def forget_orders(self) -> None:
        """Count from nothing again; what was granted stays good."""
        self.grants = self.requests = 0
        self.refusal = Refusal.NONE
        self.token_seconds = TOKEN_SECONDS

    def expire(self) -> None:
        """Every token granted so far has expired."""
        for token, access in self.granted.items():
            self.granted[token] = Access(access.project_id, 0.0)


def _issuer(assertion: str) -> str:
    """Whose assertion it says it is; nobody has looked at its signature yet."""
    try:
        claims = jwt.decode(assertion, verify=False)
    except (ValueError, GoogleAuthError):
        return ""
    return str(claims.get("iss", "")) if isinstance(claims, dict) else ""


def _denied(reason: str) -> Denied:
    if "expired" in reason or "early" in reason:
        return _CLOCK_WRONG
    if "audience" in reason:
        return Denied("invalid_grant", "Invalid JWT: Failed audience check.")
    return _KEY_UNKNOWN


_KEY_UNKNOWN = Denied("invalid_grant", "Invalid JWT Signature.")
_ACCOUNT_UNKNOWN = Denied("invalid_grant", "Invalid grant: account not found")
_SCOPE_UNKNOWN = Denied("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
_CLOCK_WRONG = Denied(
    "invalid_grant",
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
    "timeframe. Check your iat and exp values in the JWT claim.",
)
_REFUSED = {
    Refusal.KEY: _KEY_UNKNOWN,
    Refusal.ACCOUNT: _ACCOUNT_UNKNOWN,
    Refusal.CLOCK: _CLOCK_WRONG,
    Refusal.SCOPE: _SCOPE_UNKNOWN,
    Refusal.CLIENT: Denied("disabled_client", "The OAuth client was disabled."),
}
