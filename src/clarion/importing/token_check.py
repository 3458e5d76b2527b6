"""Tokens that are about to be imported, checked by the provider: it says whether it would send to
them, and no device hears of it. Nothing is written, and no registration ends by an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import Services, forbidden
from clarion.campaigns.content.spec import Content
from clarion.customers.devices.device import Platform, TokenKind
from clarion.deliveries.apps.store import open_app
from clarion.deliveries.provider import ProviderApp, Push, TryingProvider
from clarion.deliveries.testing.commands import words_of
from clarion.events.messages.installation import is_fid
from clarion.faults import Fault, Rejected, invalid, not_found
from clarion.sources.store import get_source

TOKENS_MAX = 100
"""Of one call: a check is as many requests to the provider as a push to each of them."""
_CONTENT = Content(title="Clarion")
"""Shown to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenToCheck:
    """A registration as a file says it. The token is a secret."""

    token: str
    platform: Platform

    def __repr__(self) -> str:
        """Without the token."""
        return f"TokenToCheck({self.platform.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedToken:
    """What the provider says of a token. `outcome`: accepted, unregistered, rejected, throttled,
    unavailable or misconfigured; `reason` and `detail` say why."""

    outcome: str
    reason: str | None
    detail: str | None


async def check_tokens(
    services: Services,
    provider: TryingProvider,
    actor: Actor,
    source_id: UUID,
    tokens: Sequence[TokenToCheck],
) -> Sequence[CheckedToken] | Rejected:
    """Ask the provider app of a source about `tokens`, TOKENS_MAX at most; the answers stand in
    their order. Nothing is tried again."""
    if not actor.may(Permission.WRITE):
        return forbidden(Permission.WRITE)
    if not tokens or len(tokens) > TOKENS_MAX:
        return invalid(Fault("tokens", f"must be 1 to {TOKENS_MAX}"))
    async with services.database.read() as connection:
        source = await get_source(connection, actor.workspace_id, source_id)
        if source is None:
            return not_found("source")
        if source.firebase_app_id is None:
            return Rejected(
                "conflict", "The source has no Firebase app yet: add its key to check tokens."
            )
        app = await open_app(
            connection,
            services.vault,
            source.firebase_app_id,
            now=services.clock.now(),
            though_paused=True,
        )
    if not isinstance(app, ProviderApp):
        return not_found("Firebase app")
    pushes = [
        Push(
            token=asked.token,
            token_kind=TokenKind.FID if is_fid(asked.token) else TokenKind.FCM,
            platform=asked.platform,
            delivery_id="check",
            tag="check",
            content=_CONTENT,
        )
        for asked in tokens
    ]
    outcomes = [words_of(outcome) for outcome in await provider.validate(app, pushes)]
    return [
        CheckedToken(outcome=outcome, reason=reason, detail=detail)
        for outcome, reason, detail in outcomes
    ]
