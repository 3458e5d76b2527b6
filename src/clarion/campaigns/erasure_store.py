"""A person who is erased, in the audiences that name them: a name that is nobody's stands there
from then on, so that a list keeps its length and a campaign its audience."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences import rule, rule_parser
from clarion.audiences.rule import Rule, TraitsEqual, UserIds
from clarion.storage.schema import campaigns

CAMPAIGNS_AT_ONCE = 100
NAMING_TRAITS = ("email", "phone")
"""Traits whose value names one person."""


async def forget_in_audiences(
    connection: AsyncConnection,
    workspace_id: UUID,
    ids: AbstractSet[str],
    words: AbstractSet[str],
    *,
    after: UUID | None,
    new_id: Callable[[], UUID],
) -> UUID | None:
    """Take `ids`, and addresses among `words`, out of a page of campaigns, those after `after`.
    Returns after which to go on; None: that was the last page."""
    statement = select(campaigns.c.id, campaigns.c.audience).where(
        campaigns.c.workspace_id == workspace_id
    )
    if after is not None:
        statement = statement.where(campaigns.c.id > after)
    found = await connection.execute(
        statement.order_by(campaigns.c.id).limit(CAMPAIGNS_AT_ONCE).with_for_update()
    )
    rows = found.all()
    for row in rows:
        audience = rule_parser.parse(row.audience)
        assert not isinstance(audience, list), "only checked audiences are saved"
        without = _without(audience, ids, words, f"erased-{new_id()}")
        if without != audience:
            await connection.execute(
                update(campaigns)
                .where(campaigns.c.id == row.id)
                .values(audience=rule.dump(without))
            )
    return rows[-1].id if len(rows) == CAMPAIGNS_AT_ONCE else None


def _without(audience: Rule, ids: AbstractSet[str], words: AbstractSet[str], nobody: str) -> Rule:
    match audience:
        case UserIds(user_ids=user_ids) if not ids.isdisjoint(user_ids):
            kept = dict.fromkeys(nobody if one in ids else one for one in user_ids)
            return replace(audience, user_ids=tuple(kept))
        case TraitsEqual(traits=traits):
            return replace(
                audience,
                traits=tuple(
                    (name, nobody if name in NAMING_TRAITS and str(value) in words else value)
                    for name, value in traits
                ),
            )
        case _:
            return audience
