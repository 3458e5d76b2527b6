"""Access tokens for Firebase apps: made from their keys, early, once for all who wait."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from clarion.deliveries.provider import Misconfigured, Outcome, ProviderApp, Unavailable
from clarion.fcm import trust

SCOPES = ("https://www.googleapis.com/auth/firebase.messaging",)
TIMEOUT_SECONDS = 30


@dataclass(slots=True)
class _Known:
    key: Mapping[str, str]
    credentials: Credentials
    lock: asyncio.Lock


class AccessTokens:
    """google-auth's credentials, refreshed in a thread. One refresh serves all who wait."""

    def __init__(self, ca_file: str | None) -> None:
        self._session = trust.session(ca_file)
        self._known: dict[UUID, _Known] = {}

    async def get(self, app: ProviderApp, *, refused: str | None = None) -> str | Outcome:
        """A valid access token; not `refused`, which FCM has just not taken. An Outcome where none
        can be had: Misconfigured if an operator must act, Unavailable if time will help."""
        known = self._known.get(app.id)
        if known is None or known.key != app.service_account:
            try:
                made = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                    dict(app.service_account), scopes=SCOPES
                )
            except ValueError as error:
                return Misconfigured(reason="key_unusable", detail=type(error).__name__)
            known = _Known(key=app.service_account, credentials=made, lock=asyncio.Lock())
            self._known[app.id] = known
        async with known.lock:
            credentials = known.credentials
            if credentials.valid and credentials.token != refused:
                return str(credentials.token)
            try:
                await asyncio.to_thread(self._refresh, credentials)
            except RefreshError as error:
                return _refused(error)
            except TransportError:
                return Unavailable(reason="oauth_unreachable")
            return str(credentials.token)

    def close(self) -> None:
        self._session.close()

    def _refresh(self, credentials: Credentials) -> None:
        credentials.refresh(Request(session=self._session))  # type: ignore[no-untyped-call]


def _refused(error: RefreshError) -> Outcome:
    """The token endpoint's word; only its error codes are shown, never what was sent to it."""
    if getattr(error, "retryable", False):
        return Unavailable(reason="oauth_unavailable")
    wire = error.args[1] if len(error.args) > 1 else None
    if isinstance(wire, Mapping):
        reason = str(wire.get("error", "refused"))
        return Misconfigured(
            reason=f"oauth_{reason}", detail=str(wire.get("error_description", ""))[:200]
        )
    return Misconfigured(reason="oauth_refused")
