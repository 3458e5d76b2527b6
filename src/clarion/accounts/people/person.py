"""A person, where they may work, and what an invitation says. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from clarion.accounts.actor import Role
from clarion.faults import Fault

INVITATION_LIFE = timedelta(days=3)
PASSWORD_RESET_LIFE = timedelta(days=1)
EMAIL_CHARACTERS_MAX = 254
PASSWORD_CHARACTERS_MIN = 12
PASSWORD_CHARACTERS_MAX = 1_000
"""Nobody types so much, and hashing has to end."""

_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who signs in. They may work in several workspaces."""

    id: UUID
    email: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in one workspace."""

    person: Person
    workspace_id: UUID
    role: Role
    created_at: datetime
    """When they came into the workspace."""
    deactivated_at: datetime | None
    """Since then they may do nothing there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Whoever has its link may become a member, once, until it expires."""

    id: UUID
    workspace_id: UUID
    email: str | None
    """Whose it is; None: whoever has the link says theirs (the first admin)."""
    role: Role
    invited_by: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset:
    """Whoever has its link may choose the person's password, once, until it expires."""

    person_id: UUID
    workspace_id: UUID | None
    """Whose admin made it, and where alone the person may work when it is used; None: the operator
    made it."""
    created_by: str
    created_at: datetime
    expires_at: datetime

    def opens(self, workspaces: Collection[UUID]) -> bool:
        """Whether it may still be used, by where the person works now: a password opens all of
        that, and an admin answers for the own workspace alone."""
        if self.workspace_id is None:
            return bool(workspaces)
        return set(workspaces) == {self.workspace_id}


def read_email(text: str) -> str | Fault:
    """An address in the form in which it is compared: small letters, no blanks around it."""
    email = text.strip().lower()
    if len(email) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(email):
        return Fault("email", "must be an address such as ada@example.com")
    return email


def check_password(password: str, email: str) -> Fault | None:
    """Length decides, as NIST SP 800-63B §3.1.1 advises: no rule about kinds of characters."""
    if len(password) < PASSWORD_CHARACTERS_MIN:
        return Fault("password", f"must have {PASSWORD_CHARACTERS_MIN} characters or more")
    if len(password) > PASSWORD_CHARACTERS_MAX:
        return Fault("password", f"must have {PASSWORD_CHARACTERS_MAX} characters or fewer")
    if password.strip().lower() == email:
        return Fault("password", "must not be the email address")
    return None
