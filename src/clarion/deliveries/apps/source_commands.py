"""Sources are made and changed: commands of the station of sources, here since a source is bound
to a Firebase app."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, command, forbidden
from clarion.accounts.workspace import read_name
from clarion.deliveries.apps.store import get_app, only_app
from clarion.faults import Fault, Rejected, invalid
from clarion.sources import store
from clarion.sources.commands import days_from, lock_source, save_changes
from clarion.sources.queries import SourceView, source_view
from clarion.sources.rate_limit import DEFAULT_LIMIT, Limit, check_limit
from clarion.sources.source import read_origins

_NO_APP = Fault(
    "firebase_app_id", "is no Firebase app of this workspace: GET /firebase-apps lists them"
)


@command("source.create", needs=Permission.WRITE)
async def create_source(
    run: Run,
    actor: Actor,
    name: str,
    *,
    firebase_app_id: UUID | UnsetType | None = UNSET,
    rate_limit: Limit | UnsetType | None = UNSET,
) -> SourceView | Rejected:
    """Make a source with a write key of its own. Unset, it is bound to the workspace's Firebase app
    if there is exactly one, and has the `DEFAULT_LIMIT`; None: to none, and without a limit."""
    checked = read_name(name)
    limit = DEFAULT_LIMIT if rate_limit is UNSET else rate_limit
    faults = [] if limit is None else check_limit(limit)
    if isinstance(checked, Fault):
        return invalid(checked, *faults)
    app_id = firebase_app_id
    if app_id is UNSET:
        app = await only_app(run.connection, actor.workspace_id)
        app_id = None if app is None else app.id
    elif await _is_unknown(run, actor, app_id):
        faults.append(_NO_APP)
    if faults:
        return invalid(*faults)
    source = await store.create_source(
        run.connection,
        workspace_id=actor.workspace_id,
        name=checked,
        source_id=run.new_id(),
        now=run.now,
        firebase_app_id=app_id,
        limit=limit,
    )
    run.audit(
        Thing("source", source.id), {"name": checked, "firebase_app_id": source.firebase_app_id}
    )
    return source_view(source, actor, run.now)


@command("source.change", needs=Permission.WRITE)
async def change_source(
    run: Run,
    actor: Actor,
    source_id: UUID,
    *,
    name: str | UnsetType = UNSET,
    firebase_app_id: UUID | UnsetType | None = UNSET,
    allowed_origins: Sequence[str] | UnsetType | None = UNSET,
    rate_limit: Limit | UnsetType | None = UNSET,
    ask_for_signatures_after_days: int | UnsetType = UNSET,
) -> SourceView | Rejected:
    """Change what is given of a source. What can shut apps out needs ADMIN: which origins may send
    (None or empty: all), how fast each key may (None: no limit), from when on signatures are asked
    for, where there is an identity secret."""
    shuts_out = (allowed_origins, rate_limit, ask_for_signatures_after_days)
    if any(value is not UNSET for value in shuts_out) and not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    before = await lock_source(run, actor, source_id)
    if isinstance(before, Rejected):
        return before
    days, origins = ask_for_signatures_after_days, allowed_origins
    app_id, field = firebase_app_id, "ask_for_signatures_after_days"
    wanted: dict[str, Any] = {
        "name": UNSET if name is UNSET else read_name(name),
        "firebase_app_id": _NO_APP if await _is_unknown(run, actor, app_id) else app_id,
        "allowed_origins": UNSET if origins is UNSET else read_origins(origins or ()),
        "limit": (check_limit(rate_limit) or rate_limit) if rate_limit else rate_limit,
        "signatures_from": UNSET if days is UNSET else days_from(run.now, days, field),
    }
    faults: list[Fault] = []
    for value in wanted.values():
        if isinstance(value, Fault):
            faults.append(value)
        elif isinstance(value, list):
            faults += value
    if faults:
        return invalid(*faults)
    changes = {name: value for name, value in wanted.items() if value is not UNSET}
    return await save_changes(run, actor, before, replace(before, **changes))


async def _is_unknown(run: Run, actor: Actor, app_id: UUID | UnsetType | None) -> bool:
    if app_id is None or app_id is UNSET:
        return False
    return await get_app(run.connection, actor.workspace_id, app_id) is None
