"""A provider in memory: answers by the token's beginning, and keeps what it accepted."""

import asyncio
from collections import Counter
from collections.abc import Sequence

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
    ThrottleScope,
    Unavailable,
    Unregistered,
)
from clarion.faults import Fault


class MemoryProvider:
    """`dead-…` is unregistered, `bad-…` rejected, `slow-…` throttled once, `devslow-…` throttled
    once for itself alone, `down-…` unavailable once, `lost-…` accepted but the first answer is
    lost, `never-…` unavailable for ever, `apns-…` for want of the app's APNs key. All wait while
    `opened` is not set."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        """How often each push came here, whatever it was told."""
        self.pushes: list[Push] = []
        self.answers: dict[str, Outcome] = {"foreign": Unregistered(reason="sender_mismatch")}
        """What tokens that begin so are told each time."""
        self.broken = False
        self.opened = asyncio.Event()
        self.opened.set()
        self.waiting = asyncio.Event()
        """Set once a push waits for `opened`."""

    async def send(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        if not self.opened.is_set():
            self.waiting.set()
            await self.opened.wait()
        return [self._answer(push) for push in pushes]

    async def validate(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        return [Accepted() for _ in pushes]

    def measure(self, content: Content, *, platform: Platform) -> PushSize:
        return PushSize(bytes=0, bytes_max=4_096)

    def check(self, content: Content, *, platform: Platform) -> Sequence[Fault]:
        return []

    async def close(self) -> None: ...

    def _answer(self, push: Push) -> Outcome:
        if self.broken:
            return Misconfigured(reason="permission_denied", detail="the key was withdrawn")
        self.left[push.delivery_id] += 1
        first = self.left[push.delivery_id] == 1
        kind = push.token.partition("-")[0]
        if kind in self.answers:
            return self.answers[kind]
        match kind:
            case "dead":
                return Unregistered(reason="unregistered")
            case "bad":
                return Rejected(reason="payload_too_big")
            case "slow" if first:
                return Throttled(scope=ThrottleScope.APP, retry_after_seconds=30)
            case "devslow" if first:
                return Throttled(scope=ThrottleScope.DEVICE, retry_after_seconds=30)
            case "down" if first:
                return Unavailable(reason="unavailable")
            case "apns":
                return Misconfigured(reason="third_party_auth", platforms=frozenset({Platform.IOS}))
            case "never":
                return Unavailable(reason="unavailable")
            case "lost" if first:
                self._accept(push)
                return Unavailable(reason="timeout", maybe_accepted=True)
        self._accept(push)
        return Accepted()

    def _accept(self, push: Push) -> None:
        self.accepted[push.delivery_id] += 1
        self.pushes.append(push)
