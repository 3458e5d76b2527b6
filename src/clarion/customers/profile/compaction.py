"""Which trait claims of a key decide nothing any more, whatever comes. Pure.

A claim is dropped where other claims of the same key win each of its traits for good, and its word
on push. That is known only where all are the same customer's for all of time and count alike:

- of a user id that is proven to be a person's (`Flags.is_guarded`). Any other key may turn out to
  have been somebody else's between two claims, and then the earlier one counts for its owner;
- of claims by a clock that can be right. The place of the others depends on each other
  (`wrong_clock`), so they neither go nor make others go;
- of a key whose claims fit one profile in any order: where one is full, what came first counts.

A claim also says when somebody was seen. At one where the person was not there, that is for the
time its event is stored: it has no other mark of it. And the addresses that a person has had are
what an erasure looks for elsewhere, so the latest claim of each stays.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec import Struct

from clarion.clock import to_micros
from clarion.customers.profile.traits import (
    FIRST_WORDS,
    PROFILE_BYTES_MAX,
    TRAITS_MAX,
    TraitUpdate,
    weight,
)
from clarion.events.messages.push_preference import push_preference

CLAIMS_MAX = 100
"""Of one key; where there are more, those go that decide nothing."""
ADDRESSES = ("email", "phone")
ADDRESSES_KEPT = 20
"""Values of each that a person has had, the latest: so many keep their claim."""


class HeldClaim(Struct, frozen=True, kw_only=True, gc=False):
    """`is_certain`: by a clock that can be right. `is_active`: the person was there."""

    lesson: TraitUpdate
    is_certain: bool
    is_active: bool


def undecided(claims: Iterable[HeldClaim]) -> list[HeldClaim]:
    """Those of a key that may decide something, in their order; the key is a person's for good."""
    claims = list(claims)
    certain = sorted(
        (claim for claim in claims if claim.is_certain),
        key=lambda claim: (claim.lesson.at, claim.lesson.message_id),
    )
    if not _fit(claims):
        return claims
    winners = _winners([claim.lesson for claim in certain])
    return [claim for claim in claims if not claim.is_certain or claim.lesson.message_id in winners]


def _winners(lessons: Sequence[TraitUpdate]) -> set[str]:
    """The messageIds of those that win something; `lessons` in their order."""
    last: dict[str, str] = {}
    first: dict[str, str] = {}
    push: tuple[tuple[int, bool, str], str] | None = None
    addresses: dict[str, dict[str, str]] = {name: {} for name in ADDRESSES}
    for lesson in lessons:
        for name, value in lesson.traits.items():
            if name in FIRST_WORDS:
                if value is not None:
                    first.setdefault(name, lesson.message_id)
                continue
            last[name] = lesson.message_id
            if name in addresses and value is not None:
                held = addresses[name]
                value_text = _json(value).decode()
                held.pop(value_text, None)
                held[value_text] = lesson.message_id
        wanted = push_preference(lesson.traits)
        if wanted is not None:
            stamp = (to_micros(lesson.at), not wanted, lesson.message_id)
            if push is None or stamp > push[0]:
                push = stamp, lesson.message_id
    winners = {*last.values(), *first.values()}
    for held in addresses.values():
        winners.update(list(held.values())[-ADDRESSES_KEPT:])
    return winners if push is None else winners | {push[1]}


def _fit(claims: Iterable[HeldClaim]) -> bool:
    """Whether a profile has room for all traits at their largest."""
    largest: dict[str, int] = {}
    for claim in claims:
        for name, value in claim.lesson.traits.items():
            largest[name] = max(largest.get(name, 0), weight(name, value))
    return len(largest) <= TRAITS_MAX and sum(largest.values()) < PROFILE_BYTES_MAX


def dropped(
    claims: Iterable[HeldClaim], kept: Iterable[HeldClaim], stored: Collection[str]
) -> list[str]:
    """The messageIds of `claims` that are not `kept` and may go; `stored`: those of events that are
    stored."""
    stay = {claim.lesson.message_id for claim in kept}
    return [
        claim.lesson.message_id
        for claim in claims
        if claim.lesson.message_id not in stay
        and (claim.is_active or claim.lesson.message_id not in stored)
    ]


_json = msgspec.json.Encoder(order="sorted").encode
