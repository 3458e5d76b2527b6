"""Whether the provider takes the key of an app: one push that it is asked to look at and not to
send, for a registration that nobody has."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import Services, forbidden
from clarion.campaigns.content.spec import Content
from clarion.customers.devices.device import Platform, TokenKind
from clarion.deliveries.apps.store import AppPaused, get_app, open_app
from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    Push,
    Throttled,
    TryingProvider,
    Unavailable,
    Unregistered,
)
from clarion.deliveries.provider import Rejected as RejectedPush
from clarion.faults import Rejected, not_found
from clarion.storage.vault import VaultLocked

_NOBODY = "a-registration-that-nobody-has"


class KeyVerdict(StrEnum):
    WORKS = "works"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The provider could not be asked now: time will help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCheck:
    """What the provider says of a key. `reason` and `detail`: why it is refused, or not known."""

    verdict: KeyVerdict
    reason: str = ""
    detail: str = ""


async def check_key(
    services: Services, actor: Actor, app_id: UUID, provider: TryingProvider
) -> KeyCheck | Rejected:
    """Ask the provider, which shows nothing to anybody. It changes nothing, and is in no log."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    async with services.database.read() as connection:
        if await get_app(connection, actor.workspace_id, app_id) is None:
            return not_found("Firebase app")
        try:
            app = await open_app(
                connection, services.vault, app_id, now=services.clock.now(), though_paused=True
            )
        except VaultLocked as error:
            return Rejected("unavailable", str(error))
    if app is None or isinstance(app, AppPaused):
        return not_found("Firebase app")
    push = Push(
        token=_NOBODY,
        token_kind=TokenKind.FCM,
        platform=Platform.ANDROID,
        delivery_id=str(services.clock.new_id()),
        tag="key-check",
        content=Content(title="Is this key good?"),
    )
    (outcome,) = await provider.validate(app, [push])
    return verdict_on(outcome)


def verdict_on(outcome: Outcome) -> KeyCheck:
    """That the registration is none is what a good key is told."""
    match outcome:
        case Accepted() | Unregistered() | RejectedPush():
            return KeyCheck(verdict=KeyVerdict.WORKS)
        case Misconfigured(reason=reason, detail=detail):
            return KeyCheck(verdict=KeyVerdict.REFUSED, reason=reason, detail=detail)
        case Unavailable(reason=reason):
            return KeyCheck(verdict=KeyVerdict.UNKNOWN, reason=reason)
        case Throttled():
            return KeyCheck(verdict=KeyVerdict.UNKNOWN, reason="throttled")
        case _:
            assert_never(outcome)
