"""Workspaces: each is an isolated set of customers, devices and campaigns. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clarion.faults import Fault
from clarion.time_zone import DEFAULT

NAME_CHARACTERS_MAX = 200
STALE_DAYS_MAX = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One isolated set of customers, devices and campaigns."""

    id: UUID
    name: str
    stale_after_days: int
    """Registrations that no app has refreshed for so many days are removed."""
    created_at: datetime
    time_zone: str = DEFAULT
    """Its IANA name. What has no other zone is in this one."""


def read_name(name: str, field: str = "name") -> str | Fault:
    """What people call something, without the blanks around it: 1 to 200 characters."""
    name = name.strip()
    if not name or len(name) > NAME_CHARACTERS_MAX:
        return Fault(field, f"must be a text of 1 to {NAME_CHARACTERS_MAX} characters")
    return name


def check_stale_after_days(days: int) -> Fault | None:
    if 1 <= days <= STALE_DAYS_MAX:
        return None
    return Fault("stale_after_days", f"must be whole days from 1 to {STALE_DAYS_MAX}")


def find_workspaces(workspaces: Sequence[Workspace], name: str) -> list[Workspace]:
    """The workspaces with this id or name. Several may have the same name."""
    return [workspace for workspace in workspaces if name in (str(workspace.id), workspace.name)]
