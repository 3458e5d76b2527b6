"""What is done with a workspace's limits."""

from collections.abc import Mapping
from typing import Any

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit import Thing, difference
from clarion.accounts.command import Run, command
from clarion.audiences.impossible import impossible
from clarion.audiences.saved.references import wrong_references
from clarion.campaigns.launches.store import index_names
from clarion.campaigns.limits import limits as limits_noun
from clarion.campaigns.limits.limits import Limits
from clarion.campaigns.limits.store import get_limits, save_limits
from clarion.faults import Rejected, invalid


@command("workspace.limits", needs=Permission.ADMIN)
async def change_limits(run: Run, actor: Actor, wanted: Mapping[str, Any]) -> Limits | Rejected:
    """Replace what `wanted` names, each as a whole. It holds for what is sent from then on. The
    exclusions may name people: the audit log keeps only that they changed."""
    workspace_id = actor.workspace_id
    before = await get_limits(run.connection, workspace_id, lock=True)
    after = limits_noun.change(before, wanted)
    if isinstance(after, Rejected):
        return after
    if after.exclusions is not None and after.exclusions != before.exclusions:
        wrong = impossible(after.exclusions, "exclusions") or await wrong_references(
            run.connection, workspace_id, after.exclusions, "exclusions"
        )
        if wrong:
            return invalid(*wrong)
        # Under the workspace's own id, so that an erasure finds whom they name.
        await index_names(run.connection, workspace_id, workspace_id, after.exclusions)
    await save_limits(run.connection, workspace_id, after, run.now)
    changes: dict[str, Any] = difference(_audited(before), _audited(after))
    if before.exclusions != after.exclusions:
        changes["rewritten"] = ["exclusions"]
    run.audit(Thing("workspace", workspace_id), changes)
    return after


def _audited(limits: Limits) -> dict[str, Any]:
    dumped = limits_noun.dump(limits)
    del dumped["exclusions"]
    return dumped
