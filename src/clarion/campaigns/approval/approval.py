"""An approval: somebody proposes a campaign with a time, somebody else approves exactly that. Pure.

    propose ──▶ proposed ──approve──▶ approved    the campaign is scheduled by that
                   └──────reject───▶ rejected

It is bound to a fingerprint of what is sent, to whom, when, and under which limits. Whatever of
that is changed, the fingerprint is another one: the approval is stale, and the campaign does not
launch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, assert_never
from uuid import UUID

import msgspec

from clarion.accounts.actor import Actor, ActorKind
from clarion.audiences import rule as rules
from clarion.audiences.rule import Rule
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content.spec import dump_content
from clarion.campaigns.limits import limits as limits_noun
from clarion.campaigns.limits.limits import Limits
from clarion.campaigns.timing import own_time
from clarion.campaigns.timing.schedule import parse_at
from clarion.campaigns.timing.trigger import (
    Once,
    OnceInOwnTime,
    Recurring,
    Trigger,
    dump,
    first_from,
    load,
)
from clarion.faults import Rejected

NOT_APPROVED = "approval"
"""The code of what is refused for want of an approval."""
COMMENT_CHARACTERS_MAX = 1_000
NOW = "now"
PUSHES = "pushes"
"""No time: what is approved is what pushes to one customer say."""


class ApprovalState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who proposed or decided, as they were called then. `person_id`: the person behind an API key,
    where that is known."""

    kind: ActorKind
    id: UUID | None
    name: str
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The last proposal of a campaign. `at`: when it is to launch, "now" or an instant as text, or
    "pushes": it launches by nothing of this, but pushes to one customer may have its content;
    `scheduled_at`: which instant that became when it was approved."""

    campaign_id: UUID
    workspace_id: UUID
    state: ApprovalState = ApprovalState.PROPOSED
    fingerprint: str
    at: str
    proposed_by: Decider
    proposed_at: datetime
    decided_by: Decider | None = None
    decided_at: datetime | None = None
    scheduled_at: datetime | None = None
    comment: str | None = None


def decider(actor: Actor) -> Decider:
    return Decider(kind=actor.kind, id=actor.id, name=actor.name, person_id=actor.person_id)


def is_same(first: Decider, second: Decider) -> bool:
    """Whether both are one: the same person, be it by two keys that they have made."""
    if (first.kind, first.id) == (second.kind, second.id):
        return True
    return first.person_id is not None and first.person_id == second.person_id


def fingerprint(campaign: Campaign, *, audience: Rule, limits: Limits, at: str) -> str:
    """64 hex digits that say what a campaign sends to whom, when, and under which limits.

    `audience` and the exclusions in `limits` are resolved: with the rules of the audiences that
    they name. Members of static lists, and who matches a rule, may change; the rule may not. For
    pushes only what they say counts: whom and when, each call says.
    """
    if at == PUSHES:
        said = dump_content(campaign.content)
        return _hash({"name": campaign.name, "content": said, "at": at})
    fields = {
        "name": campaign.name,
        "content": dump_content(campaign.content),
        "audience": rules.dump(audience),
        "at": at,
        "spread_minutes": campaign.spread_minutes,
        "category": campaign.category,
        "transactional": campaign.is_transactional,
        "limits": limits_noun.dump(replace(limits, needs_approval=False)),
    }
    return _hash(fields)


def _hash(parts: Mapping[str, Any]) -> str:
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def text_of(trigger: Trigger) -> str:
    """When a campaign launches, as approvals are bound to it. Of one that repeats, all of its
    occurrences: an approval holds for each of them."""
    match trigger:
        case Once(at=at):
            return text_at(at)
        case OnceInOwnTime() | Recurring():
            fields = {name: value for name, value in dump(trigger).items() if name != "next"}
            return msgspec.json.encode(fields, order="deterministic").decode()
        case _:
            assert_never(trigger)


def trigger_of(text: str, now: datetime) -> Trigger | Rejected:
    """What `text_of`, or "now", says, from now on."""
    passed = refused(
        "The time that was proposed has passed: propose the campaign again, for another one."
    )
    if not text.startswith("{"):
        at = parse_at(text, now)
        return passed if isinstance(at, Rejected) else Once(at)
    saved = msgspec.json.decode(text, type=dict[str, Any])
    proposed = load(saved | {"next": saved.get("start")}, now)
    match proposed:
        case OnceInOwnTime(own_time=own):
            if own_time.ends_at(own.wall) < now:
                return passed
            return OnceInOwnTime(max(own_time.begins_at(own.wall), now), own)
        case Recurring():
            return first_from(proposed, now) or passed
        case Once():
            return passed
        case _:
            assert_never(proposed)


def text_at(at: datetime) -> str:
    return at.isoformat()


def approve(
    approval: Approval, actor: Actor, *, seen: str, current: str, at: datetime | None, now: datetime
) -> Approval | Rejected:
    """Approved by somebody else than who proposed it. `seen`: the fingerprint that they looked at;
    `current`: that of the campaign as it is; `at`: when it launches by that."""
    by = decider(actor)
    if approval.state is not ApprovalState.PROPOSED:
        return refused(
            f"The proposal is {approval.state.value} already: propose the campaign again."
        )
    if is_same(by, approval.proposed_by):
        return refused("Nobody approves what they have proposed: ask somebody else to look at it.")
    if seen != approval.fingerprint:
        return refused("This is not the proposal that was looked at: look again, then decide.")
    if current != approval.fingerprint:
        return refused(
            "The proposal is stale: content, audience, time or limits have changed since. Propose "
            "the campaign again."
        )
    return replace(
        approval,
        state=ApprovalState.APPROVED,
        decided_by=by,
        decided_at=now,
        scheduled_at=at,
    )


def reject(
    approval: Approval, actor: Actor, *, comment: str | None, now: datetime
) -> Approval | Rejected:
    """Rejected, or taken back by who proposed it."""
    if approval.state is not ApprovalState.PROPOSED:
        return refused(f"The proposal is {approval.state.value} already.")
    return replace(
        approval,
        state=ApprovalState.REJECTED,
        decided_by=decider(actor),
        decided_at=now,
        comment=comment,
    )


def refused(message: str) -> Rejected:
    return Rejected(NOT_APPROVED, message)


def dump_decider(by: Decider | None) -> Mapping[str, Any] | None:
    """Its saved form."""
    if by is None:
        return None
    saved = {"kind": by.kind.value, "id": None if by.id is None else str(by.id), "name": by.name}
    return saved if by.person_id is None else saved | {"person_id": str(by.person_id)}


def load_decider(saved: Mapping[str, Any] | None) -> Decider | None:
    if saved is None:
        return None
    who, person_id = saved["id"], saved.get("person_id")
    return Decider(
        kind=ActorKind(saved["kind"]),
        id=None if who is None else UUID(who),
        name=saved["name"],
        person_id=None if person_id is None else UUID(person_id),
    )
