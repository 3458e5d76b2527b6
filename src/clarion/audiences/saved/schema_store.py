"""What occurs in a workspace: its traits, events and properties, with their types and examples.

Nothing reads everything: a sample of customers, whose ids are hashes and so in no order of age, and
the newest events. What is rarer than that may not be in it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.value import written_of
from clarion.customers.profile.redaction import shown_properties, shown_traits
from clarion.storage.dialect import unindexed
from clarion.storage.schema import customers, events, sources

CUSTOMERS_READ = 1_000
EVENTS_READ = 1_000
"""The newest of each source, which share this number."""
SOURCES_READ = 20
NAMES_MAX = 200
EXAMPLES_MAX = 5
EXAMPLE_CHARACTERS_MAX = 100
DEPTH_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaField:
    """A trait or a property by its dotted path. `share`: of those looked at that have it."""

    path: str
    types: list[str]
    examples: list[Any]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaEvent:
    """An event's name. `count`: among those looked at."""

    name: str
    count: int
    properties: list[SchemaField]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSchema:
    """What occurs among so many customers and events."""

    profiles_read: int
    events_read: int
    traits: list[SchemaField]
    events: list[SchemaEvent]


@dataclass(slots=True)
class _Seen:
    """What was seen at one path."""

    count: int = 0
    types: Counter[str] = field(default_factory=Counter)
    examples: dict[Any, None] = field(default_factory=dict)


async def read_schema(
    connection: AsyncConnection, workspace_id: UUID, *, has_properties: bool = True
) -> WorkspaceSchema:
    """Tokens in traits and events are shown as everywhere, as fingerprints. `has_properties`: with
    those of events, for which their bodies are read."""
    rows = await connection.execute(
        select(customers.c.traits)
        .where(unindexed(customers.c.workspace_id) == workspace_id)
        .order_by(customers.c.id)
        .limit(CUSTOMERS_READ)
    )
    traits = [shown_traits(row) for row in rows.scalars()]
    by_name: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    count = 0
    for name, kind, body in await _newest_events(connection, workspace_id, has_properties):
        count += 1
        if kind == "track" and name is not None:
            by_name[name].append({} if body is None else shown_properties(body))
    names = sorted(by_name, key=lambda name: -len(by_name[name]))[:NAMES_MAX]
    return WorkspaceSchema(
        profiles_read=len(traits),
        events_read=count,
        traits=_fields(traits),
        events=[
            SchemaEvent(name=name, count=len(by_name[name]), properties=_fields(by_name[name]))
            for name in names
        ],
    )


async def _newest_events(
    connection: AsyncConnection, workspace_id: UUID, has_bodies: bool
) -> Iterable[Any]:
    """Name, type and body of the newest events of each source, in one statement. `has_bodies`:
    else they are None."""
    parts = []
    body = events.c.body if has_bodies else null().label("body")
    source_ids = await _sources(connection, workspace_id)
    for source_id in source_ids:
        newest = (
            select(events.c.name, events.c.type, body)
            .where(events.c.source_id == source_id)
            .order_by(events.c.seq.desc())
            .limit(EVENTS_READ // len(source_ids))
            .subquery()
        )
        parts.append(select(newest.c.name, newest.c.type, newest.c.body))
    return await connection.execute(union_all(*parts)) if parts else ()


async def _sources(connection: AsyncConnection, workspace_id: UUID) -> list[UUID]:
    rows = await connection.execute(
        select(sources.c.id)
        .where(sources.c.workspace_id == workspace_id)
        .order_by(sources.c.id.desc())
        .limit(SOURCES_READ)
    )
    return list(rows.scalars())


def _fields(objects: Iterable[Mapping[str, Any]]) -> list[SchemaField]:
    seen: dict[str, _Seen] = defaultdict(_Seen)
    count = 0
    for item in objects:
        count += 1
        _look_at(item, "", seen, depth=0)
    paths = sorted(seen, key=lambda path: (-seen[path].count, path))[:NAMES_MAX]
    return [
        SchemaField(
            path=path,
            types=[kind for kind, _ in seen[path].types.most_common()],
            examples=list(seen[path].examples),
            share=round(seen[path].count / count, 4),
        )
        for path in paths
    ]


def _look_at(value: Mapping[str, Any], before: str, seen: dict[str, _Seen], *, depth: int) -> None:
    for name, inner in value.items():
        if inner is None:
            continue
        path = f"{before}{name}"
        if isinstance(inner, Mapping):
            if depth < DEPTH_MAX:
                _look_at(inner, f"{path}.", seen, depth=depth + 1)
            continue
        place = seen[path]
        place.count += 1
        place.types[_type_of(inner)] += 1
        examples = inner if isinstance(inner, list) else [inner]
        for example in examples:
            short = not isinstance(example, str) or len(example) <= EXAMPLE_CHARACTERS_MAX
            if (
                len(place.examples) < EXAMPLES_MAX
                and short
                and not isinstance(example, dict | list)
            ):
                place.examples[example] = None


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list"
    return "date" if written_of(value) is not None else "text"
