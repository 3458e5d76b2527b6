"""Who does something, and what they may do. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Permission(StrEnum):
    """What a command or a query needs. None includes another: roles and scopes say which go
    together."""

    READ = "read"
    """To look at everything but secrets and the lists of who may get in."""
    WRITE = "write"
    """To make and change drafts, sources and customers' data; nothing goes out by it."""
    PUBLISH = "publish"
    """To schedule, launch, pause, resume and cancel campaigns: what reaches people."""
    ADMIN = "admin"
    """To change who may get in, what is sealed, and what can not be undone."""


class Scope(StrEnum):
    """What an API key allows. Each includes those before it."""

    READ = "read"
    """To look at everything but keys, write keys of sources included."""
    AUTHOR = "author"
    """To write drafts and propose them, and what else a person may who is an author: nothing goes
    out by it."""
    WRITE = "write"
    """To change campaigns, to make, name and bind sources, to send and read events for servers, to
    pause and resume Firebase apps."""
    ADMIN = "admin"
    """Whatever lets somebody in or shuts them out: to make and revoke API keys, to revoke sources,
    to rotate and retire their keys, to limit who may send; to add and delete Firebase apps, to
    change the workspace, to erase, merge and export customers."""


class Role(StrEnum):
    """What a person may do in one workspace. Each includes those before it."""

    VIEWER = "viewer"
    """Looks."""
    AUTHOR = "author"
    """Writes drafts, for somebody else to publish."""
    PUBLISHER = "publisher"
    """Sends them."""
    ADMIN = "admin"
    """Does everything, and says who may do what."""


_READ = frozenset({Permission.READ})
_WRITE = _READ | {Permission.WRITE}
_PUBLISH = _WRITE | {Permission.PUBLISH}
_ALL = frozenset(Permission)

_BY_SCOPE = {Scope.READ: _READ, Scope.AUTHOR: _WRITE, Scope.WRITE: _PUBLISH, Scope.ADMIN: _ALL}
_BY_ROLE = {Role.VIEWER: _READ, Role.AUTHOR: _WRITE, Role.PUBLISHER: _PUBLISH, Role.ADMIN: _ALL}


def permissions_of_scopes(scopes: Iterable[str]) -> frozenset[Permission]:
    """What an API key with `scopes` may do. A scope that this version does not know allows
    nothing."""
    granted = [_BY_SCOPE[Scope(scope)] for scope in scopes if scope in _BY_SCOPE]
    return frozenset[Permission]().union(*granted)


def scope_with(permission: Permission) -> Scope:
    """The scope that a refusal names: the least that has it, but for `author`, which is for who is
    to send nothing."""
    return next(
        scope for scope in Scope if scope is not Scope.AUTHOR and permission in _BY_SCOPE[scope]
    )


def role_with(permission: Permission) -> Role:
    """The least role that has it."""
    return next(role for role in Role if permission in _BY_ROLE[role])


def permissions_of_role(role: Role) -> frozenset[Permission]:
    return _BY_ROLE[role]


class ActorKind(StrEnum):
    PERSON = "person"
    """Somebody who is signed in to the console."""
    API_KEY = "api_key"
    OPERATOR = "operator"
    """Whoever runs the command line on the machine's own data."""
    SYSTEM = "system"
    """Clarion by itself: a scheduler, a sweeper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something in one workspace. Every command and every audit entry has one."""

    kind: ActorKind
    id: UUID | None
    """Of the person or the API key; None: the operator or the system, of which there is one."""
    name: str
    """As it was called when it acted: a key or a person may be renamed later."""
    workspace_id: UUID
    permissions: frozenset[Permission]
    person_id: UUID | None = None
    """The person behind it: who is signed in, or has made the API key; None: nobody knows."""
    request_id: str | None = None
    """Of the HTTP call that it came by; it stands in the audit entry and in the log."""

    @property
    def by(self) -> str:
        """How rows and the log name who acted: by id where there is one."""
        return self.name if self.id is None else str(self.id)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def operator(workspace_id: UUID) -> Actor:
    """The operator, who runs `clarion` on this machine and could change the database by hand."""
    return Actor(
        kind=ActorKind.OPERATOR,
        id=None,
        name="command line",
        workspace_id=workspace_id,
        permissions=_ALL,
    )


def system(workspace_id: UUID, name: str = "clarion") -> Actor:
    """Clarion by itself; `name`: which part of it, such as `scheduler`."""
    return Actor(
        kind=ActorKind.SYSTEM, id=None, name=name, workspace_id=workspace_id, permissions=_ALL
    )
