"""Which categories of campaigns customers have left: by their traits, or by the API.

The last word counts: `marketingPreferences` is as old as the identify that told it, a choice by the
API as old as the call. What was chosen for somebody who was merged counts for whom they are now.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.profile.category import (
    PREFERENCES,
    CategoryChoice,
    has_left,
    named_categories,
)
from clarion.customers.profile.store import Customer
from clarion.storage.bulk import in_parts, upsert
from clarion.storage.dialect import among
from clarion.storage.schema import category_choices, customers, merges


async def choose_category(
    connection: AsyncConnection, workspace_id: UUID, user_id: str, choice: CategoryChoice
) -> None:
    row = {
        "workspace_id": workspace_id,
        "user_id": user_id,
        "category": choice.category,
        "is_subscribed": choice.is_subscribed,
        "at": choice.at,
    }
    await upsert(connection, category_choices, [row], key=("workspace_id", "user_id", "category"))


async def customers_who_left(
    connection: AsyncConnection, workspace_id: UUID, category: str, customer_ids: Collection[UUID]
) -> set[UUID]:
    """Those of the customers who want no campaign of this category. Three statements, however many
    they are."""
    rows = await connection.execute(
        _PEOPLE.where(among(connection, customers.c.id, sorted(customer_ids)))
    )
    people = rows.all()
    user_ids = [row.user_id for row in people if row.user_id is not None]
    chosen = await _choices(connection, workspace_id, user_ids, category)
    return {
        row.id
        for row in people
        if has_left(category, row.preferences, _said_at(row), chosen.get(row.user_id, ()))
    }


async def categories_of(connection: AsyncConnection, customer: Customer) -> dict[str, bool]:
    """Whether a customer is subscribed to each of the categories that anybody has said something of
    for them."""
    row = (await connection.execute(_PEOPLE.where(customers.c.id == customer.id))).one()
    user_ids = [] if row.user_id is None else [row.user_id]
    chosen = await _choices(connection, customer.workspace_id, user_ids, None)
    choices = chosen.get(row.user_id, [])
    named = named_categories(row.preferences) | {choice.category for choice in choices}
    return {
        category: not has_left(category, row.preferences, _said_at(row), choices)
        for category in sorted(named)
    }


async def forget_choices(
    connection: AsyncConnection, workspace_id: UUID, user_ids: Iterable[str]
) -> None:
    for part in in_parts(sorted(user_ids)):
        await connection.execute(
            delete(category_choices).where(
                category_choices.c.workspace_id == workspace_id,
                among(connection, category_choices.c.user_id, part),
            )
        )


async def _choices(
    connection: AsyncConnection,
    workspace_id: UUID,
    user_ids: Collection[str],
    category: str | None,
) -> dict[str | None, list[CategoryChoice]]:
    """By whom they count for: the user ids themselves, and those who were merged into them."""
    chosen: dict[str | None, list[CategoryChoice]] = defaultdict(list)
    if not user_ids:
        return chosen
    merged = await connection.execute(
        select(merges.c.from_user, merges.c.into_user).where(
            merges.c.workspace_id == workspace_id,
            merges.c.undone_at.is_(None),
            among(connection, merges.c.into_user, list(user_ids)),
        )
    )
    counts_as: dict[str, str] = {row.from_user: row.into_user for row in merged}
    wanted = sorted({*user_ids, *counts_as})
    statement = select(category_choices).where(
        category_choices.c.workspace_id == workspace_id,
        among(connection, category_choices.c.user_id, wanted),
    )
    if category is not None:
        statement = statement.where(category_choices.c.category == category)
    for row in await connection.execute(statement):
        choice = CategoryChoice(category=row.category, is_subscribed=row.is_subscribed, at=row.at)
        chosen[counts_as.get(row.user_id, row.user_id)].append(choice)
    return chosen


_PEOPLE = select(
    customers.c.id,
    customers.c.user_id,
    customers.c.traits[PREFERENCES].label("preferences"),
    customers.c.stamps[PREFERENCES].label("stamp"),
)


def _said_at(row: Any) -> int:
    """When the trait was told, in µs."""
    return row.stamp[1] if row.stamp else 0
