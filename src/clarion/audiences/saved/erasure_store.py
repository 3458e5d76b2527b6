"""A person who is erased, in rules that name them and on static lists."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from msgspec import structs
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.comparison import Comparison
from clarion.audiences.rule import (
    DidEvent,
    Group,
    HasDevice,
    Rule,
    TraitIs,
    TraitsEqual,
    UserIds,
    dump,
)
from clarion.audiences.rule_parser import parse_resolved
from clarion.storage.bulk import in_parts
from clarion.storage.dialect import among
from clarion.storage.schema import audience_members, audiences

NAMING_TRAITS = ("email", "phone")
"""Traits whose value names one person."""


async def forget_in_saved(
    connection: AsyncConnection,
    workspace_id: UUID,
    ids: AbstractSet[str],
    words: AbstractSet[str],
    *,
    new_id: Callable[[], UUID],
) -> None:
    """Take `ids`, and addresses among `words`, out of saved rules and static lists."""
    for part in in_parts(sorted(ids)):
        await connection.execute(
            delete(audience_members).where(
                audience_members.c.workspace_id == workspace_id,
                among(connection, audience_members.c.user_id, part),
            )
        )
    rows = await connection.execute(
        select(audiences.c.id, audiences.c.rule)
        .where(audiences.c.workspace_id == workspace_id, audiences.c.rule.is_not(None))
        .with_for_update()
    )
    for row in rows.all():
        wire = forget_in_rule(row.rule, ids, words, f"erased-{new_id()}")
        if wire != row.rule:
            statement = update(audiences).where(audiences.c.id == row.id)
            await connection.execute(statement.values(rule=wire))


def forget_in_rule(wire: Any, ids: AbstractSet[str], words: AbstractSet[str], nobody: str) -> Any:
    """A saved rule with `nobody` in the place of the person's names."""
    rule = parse_resolved(wire)
    without = _without(rule, ids, words, nobody)
    return wire if without == rule else dump(without)


def _without(rule: Rule, ids: AbstractSet[str], words: AbstractSet[str], nobody: str) -> Rule:
    match rule:
        case UserIds(user_ids=user_ids) if not ids.isdisjoint(user_ids):
            kept = dict.fromkeys(nobody if one in ids else one for one in user_ids)
            return UserIds(user_ids=tuple(kept))
        case TraitsEqual(traits=traits):
            return TraitsEqual(
                traits=tuple(
                    (name, nobody if name in NAMING_TRAITS and str(value) in words else value)
                    for name, value in traits
                )
            )
        case TraitIs(path=path, comparison=comparison) if path[-1] in NAMING_TRAITS:
            return TraitIs(path=path, comparison=_unnamed(comparison, ids, words, nobody))
        case HasDevice() | DidEvent():
            where: Any = tuple(
                structs.replace(one, comparison=_unnamed(one.comparison, ids, words, nobody))
                for one in rule.where
            )
            return structs.replace(rule, where=where)
        case _ if isinstance(rule, Group):
            parts = tuple(_without(part, ids, words, nobody) for part in rule.rules)
            return structs.replace(rule, rules=parts)
        case _:
            return rule


def _unnamed(
    comparison: Comparison, ids: AbstractSet[str], words: AbstractSet[str], nobody: str
) -> Comparison:
    def unnamed(value: Any) -> Any:
        return nobody if isinstance(value, str) and (value in ids or value in words) else value

    value = comparison.value
    if isinstance(value, tuple):
        return structs.replace(comparison, value=tuple(map(unnamed, value)))
    return structs.replace(comparison, value=unnamed(value))
