"""Access tokens for Firebase apps: made from their keys, early, once for all who wait.

A key that does not work is not hammered: what the token endpoint said is believed for a while
(`BELIEVED_SECONDS`), and everybody who asks meanwhile is told the same. A new key is tried at once.

An assertion names the time it is made at, so the endpoint refuses a good key where this machine's
clock is wrong. That is told apart from a bad key by its words and by the `Date` of its answer.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from threading import Lock
from typing import Any
from uuid import UUID

from google.auth.credentials import TokenState
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from requests import Session

from clarion.clock import Clock, SystemClock
from clarion.deliveries.provider import Misconfigured, Outcome, ProviderApp, Unavailable
from clarion.providers.fcm.credentials import is_token_uri
from clarion.providers.fcm.http import ca_bundle as trust
from clarion.text import one_line

SCOPES = ("https://www.googleapis.com/auth/firebase.messaging",)
TIMEOUT_SECONDS = 10
"""For one call of the token endpoint; google-auth makes three where the trouble may pass."""
BELIEVED_SECONDS = 15
SKEW_SECONDS_MAX = 240.0
"""Google takes assertions of clocks that are off by less."""
_CODE = re.compile(r"[a-z_]{1,40}")
THREADS = 16
"""An endpoint that hangs holds up one of them, and only its own app."""


@dataclass(slots=True, eq=False)
class _Known:
    key: Mapping[str, str]
    credentials: Credentials
    refreshing: asyncio.Task[Outcome | None] | None = None
    failure: Outcome | None = None
    failed_at: datetime | None = None


class AccessTokens:
    """google-auth's credentials, refreshed in a thread. One refresh serves all who wait."""

    def __init__(self, ca_file: str | None, clock: Clock, simulators: Collection[str] = ()) -> None:
        """`simulators`: addresses besides Google's whose token endpoints may be asked."""
        self._simulators = simulators
        self._ca_file = ca_file
        self._session: Session | None = None
        self._making = Lock()
        if ca_file is not None:  # one that cannot be read is said at the start
            self._call()
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="clarion-oauth")
        self._known: dict[UUID, _Known] = {}

    async def get(self, app: ProviderApp, *, refused: str | None = None) -> str | Outcome:
        """A valid access token; not `refused`, which FCM has just not taken. An Outcome where none
        can be had: Misconfigured if an operator must act, Unavailable if time will help."""
        if not is_token_uri(str(app.service_account.get("token_uri")), self._simulators):
            return Misconfigured(
                reason="token_uri_refused",
                detail="The key's token_uri is neither Google's nor that of CLARION_FCM_URL",
                left=False,
            )
        cached = self._known.get(app.id)
        if cached is None or cached.key != app.service_account:
            try:
                made = Credentials.from_service_account_info(
                    dict(app.service_account), scopes=SCOPES
                )
            except (ValueError, GoogleAuthError) as error:
                return Misconfigured(reason="key_unusable", detail=type(error).__name__, left=False)
            cached = _Known(key=app.service_account, credentials=made)
            self._known[app.id] = cached
        credentials = cached.credentials
        if credentials.token_state is TokenState.FRESH and credentials.token != refused:
            return str(credentials.token)
        failure = self._recent_failure(cached)
        if failure is None:
            # A task of its own, so that who is cancelled while waiting takes it from nobody else.
            if cached.refreshing is None:
                cached.refreshing = asyncio.create_task(self._refresh(cached))
            failure = await asyncio.shield(cached.refreshing)
        if credentials.token != refused and (
            failure is None or credentials.token_state is not TokenState.INVALID
        ):
            # The old one is good for some minutes more, long enough for an endpoint to come back.
            return str(credentials.token)
        return failure or Misconfigured(
            reason="unauthenticated", detail="FCM takes no access token of this key"
        )

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._session is not None:
            self._session.close()

    def _call(self) -> Any:
        """google-auth's request. To load the usual authorities takes 30 ms and more, which most
        commands never need: it is done at the first call, in that call's thread."""
        with self._making:
            if self._session is None:
                self._session = trust.session(self._ca_file)
        return partial(Request(session=self._session), timeout=TIMEOUT_SECONDS)

    async def _refresh(self, known: _Known) -> Outcome | None:
        loop = asyncio.get_running_loop()
        request = _Dated(self._call)
        try:
            await loop.run_in_executor(self._threads, known.credentials.refresh, request)
        except RefreshError as error:
            known.failure = _refused(error, request.ahead_seconds)
        except (TransportError, OSError):
            known.failure = Unavailable(reason="oauth_unreachable", left=False)
        except (GoogleAuthError, TypeError, ValueError):
            # google-auth stumbles in several ways over an answer that is not the endpoint's.
            known.failure = Unavailable(reason="oauth_unreadable", left=False)
        else:
            known.failure = None
        finally:
            known.refreshing = None
        known.failed_at = self._clock.now() if known.failure is not None else None
        return known.failure

    def _recent_failure(self, known: _Known) -> Outcome | None:
        if known.failed_at is None:
            return None
        until = known.failed_at + timedelta(seconds=BELIEVED_SECONDS)
        # A clock that was set back since would have it believed for as long.
        return known.failure if known.failed_at <= self._clock.now() < until else None


class _Dated:
    """google-auth's request, which also notes how far our clock is from the other side's."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self.ahead_seconds: float | None = None
        """How far ours is ahead; None: the answer had no date."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        response = self._call()(*args, **kwargs)
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
            # google-auth, too, reads the machine's clock.
            self.ahead_seconds = (SystemClock().now() - theirs).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            self.ahead_seconds = None
        return response


def _refused(error: RefreshError, ahead_seconds: float | None) -> Outcome:
    """The token endpoint's word; only its error codes are shown, never what was sent to it."""
    if getattr(error, "retryable", False):
        return Unavailable(reason="oauth_unavailable", left=False)
    wire = error.args[1] if len(error.args) > 1 else None
    if not isinstance(wire, Mapping):
        return Misconfigured(reason="oauth_refused", left=False)
    reason = str(wire.get("error", "refused"))
    if not _CODE.fullmatch(reason):  # not an OAuth error: the answer of something else
        return Misconfigured(reason="oauth_refused", left=False)
    detail = one_line(str(wire.get("error_description", "")))[:200]
    if reason == "invalid_grant" and is_clock_to_blame(detail, ahead_seconds):
        return Misconfigured(reason="clock_wrong", detail=_off_by(ahead_seconds), left=False)
    return Misconfigured(reason=f"oauth_{reason}", detail=detail, left=False)


def is_clock_to_blame(description: str, ahead_seconds: float | None) -> bool:
    """Whether `invalid_grant` speaks of the time in the assertion, and not of key or account."""
    plain = description.lower()
    if "timeframe" in plain or "short-lived" in plain or "clock" in plain:
        return True
    is_off = ahead_seconds is not None and abs(ahead_seconds) > SKEW_SECONDS_MAX
    return is_off and not any(word in plain for word in ("signature", "account", "issuer"))


def _off_by(ahead_seconds: float | None) -> str:
    cure = "set it right (NTP); Clarion tries again by itself"
    if ahead_seconds is None or abs(ahead_seconds) < 1:
        now = SystemClock().now()
        return f"Google refuses the time of this machine's clock, {now:%Y-%m-%dT%H:%M:%SZ}: {cure}"
    direction = "ahead of" if ahead_seconds > 0 else "behind"
    seconds = abs(ahead_seconds)
    off = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    return f"this machine's clock is {off} {direction} Google's: {cure}"
