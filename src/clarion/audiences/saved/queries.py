"""What is shown of audiences: what there is, how many they reach, who, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.audiences.condition_query import matches
from clarion.audiences.matching import Explanation, explain
from clarion.audiences.query import AudienceCount, count_audience
from clarion.audiences.rule import InList, Rule
from clarion.audiences.rule_parser import parse_new
from clarion.audiences.saved import schema_store, store
from clarion.audiences.saved.audience import Audience
from clarion.audiences.saved.customer_store import read_known
from clarion.audiences.saved.references import wrong_references
from clarion.audiences.saved.schema_store import WorkspaceSchema
from clarion.audiences.saved.store import Use
from clarion.customers.profile.redaction import shown_traits
from clarion.customers.profile.store import Customer, customers_in, find_customer
from clarion.faults import Fault, Rejected, invalid, not_found
from clarion.storage.dialect import unindexed
from clarion.storage.schema import customers


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceView:
    """An audience; `members`: of a static list, how many ids it has."""

    audience: Audience
    members: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Whether a customer is in an audience, and why."""

    customer_id: UUID
    user_id: str | None
    explanation: Explanation


async def list_audiences(
    connection: AsyncConnection,
    actor: Actor,
    *,
    archived: bool,
    before: UUID | None,
    limit: int,
) -> list[AudienceView]:
    """At most `limit` audiences, newest first. `archived`: those alone, or those that are not."""
    listed = await store.list_audiences(
        connection, actor.workspace_id, archived=archived, before=before, limit=limit
    )
    lists = [audience.id for audience in listed if audience.rule is None]
    members = await store.count_members_of(connection, lists)
    return [
        AudienceView(
            audience=audience,
            members=members.get(audience.id, 0) if audience.rule is None else None,
        )
        for audience in listed
    ]


async def get_audience(
    connection: AsyncConnection, actor: Actor, code: str
) -> AudienceView | Rejected:
    audience = await store.get_audience(connection, actor.workspace_id, code)
    return not_found("audience") if audience is None else await _view(connection, audience)


async def count_saved(
    connection: AsyncConnection, actor: Actor, code: str, *, now: datetime
) -> AudienceCount | Rejected:
    """How many a saved audience reaches at `now`."""
    rule = await _saved_rule(connection, actor, code)
    if isinstance(rule, Rejected):
        return rule
    return await count_audience(connection, actor.workspace_id, rule, now=now)


async def count_rule(
    connection: AsyncConnection, actor: Actor, wire: Any, *, now: datetime
) -> AudienceCount | Rejected:
    """How many a rule reaches at `now` that is not saved."""
    rule = await _new_rule(connection, actor, wire)
    if isinstance(rule, Rejected):
        return rule
    return await count_audience(connection, actor.workspace_id, rule, now=now)


async def sample_saved(
    connection: AsyncConnection, actor: Actor, code: str, *, now: datetime, limit: int
) -> list[Customer] | Rejected:
    """Some customers in a saved audience, with their traits as they are shown."""
    rule = await _saved_rule(connection, actor, code)
    return (
        rule if isinstance(rule, Rejected) else await _sample(connection, actor, rule, now, limit)
    )


async def sample_rule(
    connection: AsyncConnection, actor: Actor, wire: Any, *, now: datetime, limit: int
) -> list[Customer] | Rejected:
    """The same of a rule that is not saved."""
    rule = await _new_rule(connection, actor, wire)
    return (
        rule if isinstance(rule, Rejected) else await _sample(connection, actor, rule, now, limit)
    )


async def explain_saved(
    connection: AsyncConnection, actor: Actor, code: str, customer: str, *, now: datetime
) -> Explained | Rejected:
    """Why the customer of that user id or id is in an audience at `now`, or not."""
    rule = await _saved_rule(connection, actor, code)
    if isinstance(rule, Rejected):
        return rule
    return await _explain(connection, actor, rule, customer, now)


async def explain_rule(
    connection: AsyncConnection, actor: Actor, wire: Any, customer: str, *, now: datetime
) -> Explained | Rejected:
    """The same of a rule that is not saved."""
    rule = await _new_rule(connection, actor, wire)
    if isinstance(rule, Rejected):
        return rule
    return await _explain(connection, actor, rule, customer, now)


async def list_uses(connection: AsyncConnection, actor: Actor, code: str) -> list[Use]:
    """What names an audience by its code: campaigns, other audiences, the exclusions."""
    return await store.uses_of(connection, actor.workspace_id, code)


async def workspace_schema(
    connection: AsyncConnection, actor: Actor, *, has_properties: bool = True
) -> WorkspaceSchema:
    """The traits, events and properties that occur in a sample of what there is. Without properties
    it takes half as long."""
    return await schema_store.read_schema(
        connection, actor.workspace_id, has_properties=has_properties
    )


async def _view(connection: AsyncConnection, audience: Audience) -> AudienceView:
    is_list = audience.rule is None
    members = await store.count_members(connection, audience) if is_list else None
    return AudienceView(audience=audience, members=members)


async def _saved_rule(connection: AsyncConnection, actor: Actor, code: str) -> Rule | Rejected:
    audience = await store.get_audience(connection, actor.workspace_id, code)
    if audience is None:
        return not_found("audience")
    if audience.rule is None:
        return InList(audience_id=audience.id)
    return await store.resolve_rule(connection, actor.workspace_id, audience.rule)


async def _new_rule(connection: AsyncConnection, actor: Actor, wire: Any) -> Rule | Rejected:
    rule = parse_new(wire, "rule")
    if isinstance(rule, list):
        return invalid(*rule)
    wrong = await wrong_references(connection, actor.workspace_id, rule, "rule")
    if wrong:
        return invalid(*wrong)
    resolved = await store.try_resolve(connection, actor.workspace_id, rule, "rule")
    return invalid(resolved) if isinstance(resolved, Fault) else resolved


async def _sample(
    connection: AsyncConnection, actor: Actor, rule: Rule, now: datetime, limit: int
) -> list[Customer]:
    """By id, which is a hash: it is a sample of all ages."""
    members = await customers_in(
        connection,
        select(customers)
        .where(unindexed(customers.c.workspace_id) == actor.workspace_id, matches(rule, now))
        .order_by(customers.c.id)
        .limit(limit),
    )
    return [replace(customer, traits=shown_traits(customer.traits)) for customer in members]


async def _explain(
    connection: AsyncConnection, actor: Actor, rule: Rule, name: str, now: datetime
) -> Explained | Rejected:
    customer = await find_customer(connection, actor.workspace_id, name)
    if customer is None:
        return not_found("customer")
    known = await read_known(connection, customer, rule, now)
    shown: Mapping[str, Any] = shown_traits(customer.traits)
    return Explained(
        customer_id=customer.id,
        user_id=customer.user_id,
        explanation=explain(rule, known, now, shown=shown),
    )
