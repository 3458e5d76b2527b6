"""Which of two providers carries a push: that of the practice phone, or the real one. Pure."""

from collections.abc import Callable, Sequence

from clarion.deliveries.practice import (
    PRACTICE_PROJECT,
    PhoneAddress,
    PhoneUnavailable,
    PracticePhone,
)
from clarion.deliveries.provider import (
    Content,
    Outcome,
    Platform,
    ProviderApp,
    Push,
    PushSize,
    TryingProvider,
    Unavailable,
)
from clarion.faults import Fault

_AWAY = Unavailable(reason="practice_phone_unavailable", left=False)


class PracticeProvider:
    """Implements `deliveries.provider.TryingProvider`. After a restart the phone is started by the
    first push that goes there."""

    def __init__(
        self,
        provider: TryingProvider,
        phone: PracticePhone,
        connect: Callable[[PhoneAddress], TryingProvider],
    ) -> None:
        """`connect` makes what carries pushes to the phone."""
        self._provider = provider
        self._phone = phone
        self._connect = connect
        self._to_phone: tuple[PhoneAddress, TryingProvider] | None = None

    async def send(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """See `Provider.send`."""
        carrier = await self._carrier(app)
        return [_AWAY] * len(pushes) if carrier is None else await carrier.send(app, pushes)

    async def validate(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """See `TryingProvider.validate`."""
        carrier = await self._carrier(app)
        return [_AWAY] * len(pushes) if carrier is None else await carrier.validate(app, pushes)

    def measure(self, content: Content, *, platform: Platform) -> PushSize:
        """See `TryingProvider.measure`."""
        return self._provider.measure(content, platform=platform)

    def check(self, content: Content, *, platform: Platform) -> Sequence[Fault]:
        """See `Provider.check`."""
        return self._provider.check(content, platform=platform)

    async def close(self) -> None:
        await self._provider.close()
        if self._to_phone is not None:
            await self._to_phone[1].close()
        await self._phone.stop()

    async def _carrier(self, app: ProviderApp) -> TryingProvider | None:
        """Who carries pushes of this app; None: the phone does not start."""
        if app.project_id != PRACTICE_PROJECT:
            return self._provider
        try:
            address = await self._phone.start()
        except PhoneUnavailable:
            return None
        if self._to_phone is None or self._to_phone[0] != address:
            self._to_phone = (address, self._connect(address))
        return self._to_phone[1]
