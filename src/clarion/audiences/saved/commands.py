"""What is done with audiences: made, changed, archived, deleted; and ids put on static lists."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing, difference
from clarion.accounts.command import Run, command
from clarion.audiences.rule import Rule
from clarion.audiences.saved import store
from clarion.audiences.saved.audience import Audience, dump_rule, parse_definition
from clarion.audiences.saved.member_file import read_members
from clarion.audiences.saved.references import wrong_references
from clarion.faults import Fault, Rejected, invalid, not_found

UNMATCHED_SHOWN_MAX = 100
_AUDITED = ("code", "name", "archived_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What became of an upload to a static list. `unmatched`: ids that no customer signs in with
    yet; they are on the list and count from when one does. `unmatched_ids`: the first of them."""

    rows: int
    members: int
    unmatched: int
    unmatched_ids: list[str]
    faults: list[Fault]


@command("audience.create", needs=Permission.WRITE)
async def create_audience(run: Run, actor: Actor, wire: Mapping[str, Any]) -> Audience | Rejected:
    """Save a rule, or make an empty static list (`rule` null)."""
    wanted = parse_definition(wire)
    if isinstance(wanted, Rejected):
        return wanted
    audience = Audience(
        id=run.new_id(),
        workspace_id=actor.workspace_id,
        code=wanted.code,
        name=wanted.name,
        owner_id=actor.id,
        owner=actor.name,
        rule=wanted.rule,
        created_at=run.now,
        updated_at=run.now,
    )
    wrong = await _wrong(run, actor, wanted.rule)
    if wrong:
        return invalid(*wrong)
    if not await store.create_audience(run.connection, audience):
        return invalid(Fault("code", "is that of another audience: take another one"))
    run.audit(Thing("audience", audience.id), {"code": audience.code, "name": audience.name})
    return audience


@command("audience.edit", needs=Permission.WRITE)
async def edit_audience(
    run: Run, actor: Actor, code: str, change: Mapping[str, Any]
) -> Audience | Rejected:
    """Write its name or its rule anew. Its code stays, since others name it so; a static list stays
    one."""
    before = await store.get_audience(run.connection, actor.workspace_id, code, lock=True)
    if before is None:
        return not_found("audience")
    wire = {"code": before.code, "name": before.name, "rule": dump_rule(before.rule)}
    wanted = parse_definition({**wire, **change})
    if isinstance(wanted, Rejected):
        return wanted
    if wanted.code != before.code:
        return invalid(Fault("code", "can not be changed: campaigns and audiences name it so"))
    if (wanted.rule is None) != (before.rule is None):
        what = "a rule" if before.rule is None else "a static list"
        return invalid(Fault("rule", f"can not make it {what}: make another audience for that"))
    after = replace(before, name=wanted.name, rule=wanted.rule, updated_at=run.now)
    await store.save_audience(run.connection, after)
    wrong = await _wrong(run, actor, wanted.rule)
    if wrong:
        return invalid(*wrong)
    _audit(run, before, after)
    return after


@command("audience.archive", needs=Permission.WRITE)
async def archive_audience(run: Run, actor: Actor, code: str) -> Audience | Rejected:
    """Take it out of the list, as long as nothing that is still to happen uses it. What has used it
    can still be looked at."""
    before = await store.get_audience(run.connection, actor.workspace_id, code, lock=True)
    if before is None:
        return not_found("audience")
    in_use = await _in_use(run, actor, code, "archived", over_too=False)
    if in_use is not None:
        return in_use
    after = replace(before, archived_at=before.archived_at or run.now, updated_at=run.now)
    await store.save_audience(run.connection, after)
    _audit(run, before, after)
    return after


@command("audience.restore", needs=Permission.WRITE)
async def restore_audience(run: Run, actor: Actor, code: str) -> Audience | Rejected:
    """Put an archived audience back into the list."""
    before = await store.get_audience(run.connection, actor.workspace_id, code, lock=True)
    if before is None:
        return not_found("audience")
    after = replace(before, archived_at=None, updated_at=run.now)
    await store.save_audience(run.connection, after)
    _audit(run, before, after)
    return after


@command("audience.delete", needs=Permission.WRITE)
async def delete_audience(run: Run, actor: Actor, code: str) -> Rejected | None:
    """Remove it for good, with the members of a static list. Refused as long as any campaign or
    audience names it."""
    audience = await store.get_audience(run.connection, actor.workspace_id, code, lock=True)
    if audience is None:
        return not_found("audience")
    in_use = await _in_use(run, actor, code, "deleted", over_too=True)
    if in_use is not None:
        return in_use
    await store.delete_audience(run.connection, audience)
    run.audit(Thing("audience", audience.id), {"code": audience.code, "name": audience.name})
    return None


@command("audience.upload", needs=Permission.WRITE)
async def upload_members(
    run: Run, actor: Actor, code: str, file: bytes, *, replaces: bool
) -> Upload | Rejected:
    """Put the user ids in a CSV or NDJSON file on a static list; `replaces`: instead of those on
    it. Lines that hold none are told, and all others count."""
    audience = await store.get_audience(run.connection, actor.workspace_id, code, lock=True)
    if audience is None:
        return not_found("audience")
    if audience.rule is not None:
        return Rejected("conflict", "The audience has a rule: only a static list takes user ids.")
    read = read_members(file)
    if isinstance(read, Rejected):
        return read
    if replaces:
        await store.clear_members(run.connection, audience)
    await store.add_members(run.connection, audience, read.user_ids)
    known = await store.known_user_ids(run.connection, actor.workspace_id, read.user_ids)
    unmatched = [user_id for user_id in read.user_ids if user_id not in known]
    members = await store.count_members(run.connection, audience)
    after = replace(audience, updated_at=run.now)
    await store.save_audience(run.connection, after)
    run.audit(Thing("audience", audience.id), {"rows": read.rows, "members": members})
    return Upload(
        rows=read.rows,
        members=members,
        unmatched=len(unmatched),
        unmatched_ids=unmatched[:UNMATCHED_SHOWN_MAX],
        faults=read.faults,
    )


async def _wrong(run: Run, actor: Actor, rule: Rule | None) -> list[Fault]:
    if rule is None:
        return []
    return await wrong_references(run.connection, actor.workspace_id, rule, "rule")


async def _in_use(
    run: Run, actor: Actor, code: str, step: str, *, over_too: bool
) -> Rejected | None:
    uses = await store.uses_of(run.connection, actor.workspace_id, code)
    uses = [use for use in uses if over_too or not use.is_over]
    if not uses:
        return None
    named = ", ".join(f"the {use.kind} {use.name}" for use in uses[: store.USES_MAX])
    more = len(uses) - store.USES_MAX
    also = f" and {more} more" if more > 0 else ""
    return Rejected("conflict", f"It can not be {step}: it is used by {named}{also}.")


def _audit(run: Run, before: Audience, after: Audience) -> None:
    changes: dict[str, Any] = difference(
        {name: getattr(before, name) for name in _AUDITED},
        {name: getattr(after, name) for name in _AUDITED},
    )
    if before.rule != after.rule:
        changes["rewritten"] = ["rule"]  # it may name people, whom the log must not outlive
    run.audit(Thing("audience", after.id), changes)
