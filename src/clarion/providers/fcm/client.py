"""Firebase Cloud Messaging (HTTP v1) as a Provider."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never
from urllib.parse import quote
from uuid import UUID

from clarion.clock import Clock
from clarion.deliveries.provider import (
    Accepted,
    Content,
    Misconfigured,
    Outcome,
    Platform,
    ProviderApp,
    Push,
    PushSize,
    Rejected,
    Throttled,
    Unavailable,
    Unregistered,
)
from clarion.faults import Fault
from clarion.providers.fcm.auth import AccessTokens
from clarion.providers.fcm.http.easy_handle import Answer, TransportOptions
from clarion.providers.fcm.http.transport import Transport
from clarion.providers.fcm.message import (
    Encoder,
    as_dry_run,
    check,
    measure,
)
from clarion.providers.fcm.response import StaleAccessToken, read, read_live
from clarion.providers.fcm.trouble import SLOW_SECONDS, Trouble
from clarion.telemetry import Metrics
from clarion.tracing import recorded, span

GOOGLE = "https://fcm.googleapis.com"
_UNAUTHENTICATED = Misconfigured(
    reason="unauthenticated", detail="FCM takes no access token of this key"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FcmOptions:
    transport: TransportOptions = field(default_factory=TransportOptions)
    token_urls: tuple[str, ...] = ()
    """Addresses besides Google's and `base_url` whose token endpoints may be asked."""


class FcmProvider:
    """Sends pushes through FCM. Implements `deliveries.provider.Provider`."""

    def __init__(
        self,
        base_url: str,
        ca_file: str | None,
        clock: Clock,
        options: FcmOptions | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`base_url`: GOOGLE or a simulator's; `ca_file`: a further authority to trust."""
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        options = options or FcmOptions()
        self._tokens = AccessTokens(ca_file, clock, (self._base_url, *options.token_urls))
        self._headers: dict[UUID, tuple[str, list[str]]] = {}
        self._tells_traces = self._base_url != GOOGLE
        self._metrics = metrics
        self._troubles: dict[str, Trouble] = {}
        self._transport = Transport(ca_file, options.transport)

    async def send(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """See `Provider.send`."""
        if not pushes:
            return []
        started = asyncio.get_running_loop().time()
        with span("fcm.send", project=app.project_id, pushes=len(pushes)):
            outcomes = await self._send(app, pushes)
        self._note(app.project_id, outcomes, asyncio.get_running_loop().time() - started)
        return outcomes

    async def validate(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """See `TryingProvider.validate`."""
        return await self._send(app, pushes, is_dry=True) if pushes else []

    def measure(self, content: Content, *, platform: Platform) -> PushSize:
        """See `TryingProvider.measure`."""
        return measure(content, platform, self._clock.now())

    def check(self, content: Content, *, platform: Platform) -> Sequence[Fault]:
        """See `Provider.check`."""
        return check(content, platform, self._clock.now())

    async def close(self) -> None:
        self._transport.close()
        self._tokens.close()

    async def _send(
        self, app: ProviderApp, pushes: Sequence[Push], *, is_dry: bool = False
    ) -> list[Outcome]:
        encoder = Encoder(self._clock.now())
        bodies = [encoder.encode(push) for push in pushes]
        if is_dry:
            bodies = [as_dry_run(body) for body in bodies]
        token = await self._tokens.get(app)
        if not isinstance(token, str):
            return [token] * len(pushes)
        outcomes = await self._post(app, token, pushes, bodies)
        stale = [
            index for index, outcome in enumerate(outcomes) if isinstance(outcome, StaleAccessToken)
        ]
        # Where FCM has taken others by the same token, the token is not to blame.
        if stale and not any(isinstance(result, Accepted) for result in outcomes):
            again = await self._send_again(
                app, token, [pushes[index] for index in stale], [bodies[index] for index in stale]
            )
            for index, outcome in zip(stale, again, strict=True):
                outcomes[index] = outcome
        return [
            _UNAUTHENTICATED if isinstance(outcome, StaleAccessToken) else outcome
            for outcome in outcomes
        ]

    def _note(self, project_id: str, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Count what was answered, and tell of trouble."""
        answers = Counter(_label(outcome) for outcome in outcomes if type(outcome) is not Accepted)
        accepted = len(outcomes) - answers.total()
        if accepted:
            answers["accepted"] = accepted
        troubles = {
            label: count for label, count in answers.items() if label not in _ORDINARY_ANSWERS
        }
        if seconds > SLOW_SECONDS and not troubles:
            troubles["slow"] = len(outcomes)
        trouble = self._troubles.get(project_id)
        if trouble is None:
            trouble = self._troubles[project_id] = Trouble(project_id)
        trouble.note(troubles, len(outcomes), self._clock.now())
        if self._metrics is not None:
            for label, count in answers.items():
                self._metrics.fcm_answers.labels(project_id, label).inc(count)
            self._metrics.fcm_seconds.labels(project_id).observe(seconds)

    async def _send_again(
        self, app: ProviderApp, refused: str, pushes: Sequence[Push], bodies: Sequence[bytes]
    ) -> Sequence[Outcome | StaleAccessToken]:
        """With a new access token; FCM has looked at none of these pushes yet."""
        token = await self._tokens.get(app, refused=refused)
        if not isinstance(token, str):
            return [token] * len(pushes)
        return await self._post(app, token, pushes, bodies)

    async def _post(
        self, app: ProviderApp, token: str, pushes: Sequence[Push], bodies: Sequence[bytes]
    ) -> list[Outcome | StaleAccessToken]:
        project = quote(app.project_id, safe="")
        answers = await self._transport.post(
            f"{self._base_url}/v1/projects/{project}/messages:send",
            self._headers_for(app.id, token),
            bodies,
            goes_first=pushes[0].is_transactional,
        )
        return [_outcome(answer, push) for answer, push in zip(answers, pushes, strict=True)]

    def _headers_for(self, app_id: UUID, token: str) -> list[str]:
        """The same list while the token is the same, so that handles need not be told again; with
        the trace, where it is recorded and another than Google is asked (decision 0028)."""
        cached = self._headers.get(app_id)
        if cached is None or cached[0] != token:
            made = [f"Authorization: Bearer {token}", "Content-Type: application/json"]
            cached = self._headers[app_id] = (token, made)
        trace = recorded() if self._tells_traces else None
        return cached[1] if trace is None else [*cached[1], f"traceparent: {trace}"]


_ORDINARY_ANSWERS = frozenset({"accepted", "unregistered", "rejected", "third_party_auth"})
"""They are told elsewhere, or are nothing to tell."""


def _label(outcome: Outcome) -> str:
    match outcome:
        case Accepted():
            return "accepted"
        case Unregistered():
            return "unregistered"
        case Rejected():
            return "rejected"
        case Throttled():
            return "throttled"
        case Unavailable(reason=reason) | Misconfigured(reason=reason):
            return reason
        case _:
            assert_never(outcome)


def _outcome(answer: Answer, push: Push) -> Outcome | StaleAccessToken:
    if answer.failure:
        return Unavailable(reason=answer.failure, maybe_accepted=answer.left, left=answer.left)
    reading = read if push.live_activity_token is None else read_live
    return reading(
        answer.status,
        answer.body,
        platform=push.platform,
        retry_after_seconds=answer.retry_after_seconds,
    )
