"""A person who is erased, in rules that name them and on static lists."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.names import without_person
from clarion.audiences.rule import dump
from clarion.audiences.rule_parser import parse_resolved
from clarion.storage.bulk import in_parts
from clarion.storage.dialect import among
from clarion.storage.schema import audience_members, audiences


async def forget_in_saved(
    connection: AsyncConnection,
    workspace_id: UUID,
    ids: AbstractSet[str],
    words: AbstractSet[str],
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
    without = without_person(rule, ids, words, nobody)
    return wire if without == rule else dump(without)
