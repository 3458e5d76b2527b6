"""Who somebody is: identifiers, and the customers that they stand for (R2, R9). Pure.

The hard idea. Events come in any order, late and doubled, yet the answer must not depend on it. So
nothing here is a step that can not be taken back: identity is a function of the *set* of what was
said.

- An **identifier** is any string that has stood as userId, anonymousId or device id. Some facts are
  kept of it (`Flags`), each of which only ever turns from False to True. From them follows whether
  it is a **real** user id or a **provisional** key (R2): before sign-in an app sends its device id
  as userId, and that must never become a person of its own.
- Who owned a key, and when, follows from all claims on it: `timeline`.

A late claim changes a timeline only where the owner changes; then its periods are written anew, and
no event. Two real users are never merged (R9): a claim moves time, not people.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from clarion.clock import derived_id

DERIVED_KEPT = 16_384
"""How many derived ids are remembered: a batch asks for the same ones again and again."""
WORKSPACES_KEPT = 4
"""Of so many workspaces."""


class Flags(Struct, frozen=True, kw_only=True, gc=False):
    """What has ever been seen of an identifier. Merging is a union, so order can not matter."""

    is_user: bool = False
    is_device: bool = False
    """It has said so itself: it stood as userId and as device id of one event."""
    is_named: bool = False
    """Somebody else has registered a device by this id."""
    is_known: bool = False
    """It has been identified, with traits: what others say does not make it a device."""
    is_guarded: bool = False
    """It is proven to be a person's, whatever else was seen."""

    @property
    def is_real(self) -> bool:
        """A person's id, rather than a device id standing in as userId (R2)."""
        is_provisional = self.is_device or (self.is_named and not self.is_known)
        return self.is_user and (self.is_guarded or not is_provisional)

    def merged(self, other: "Flags") -> "Flags":
        """What either has seen; itself where `other` is nothing new, as nearly always."""
        if other is NO_FLAGS or other is self:
            return self
        both = Flags(
            is_user=self.is_user or other.is_user,
            is_device=self.is_device or other.is_device,
            is_named=self.is_named or other.is_named,
            is_known=self.is_known or other.is_known,
            is_guarded=self.is_guarded or other.is_guarded,
        )
        return self if both == self else both


NO_FLAGS = Flags()


class User(Struct, frozen=True, gc=False):
    """A customer known by a user id."""

    user_id: str


class Provisional(Struct, frozen=True, gc=False):
    """A customer known only by a key, from one sign-out (None: from the beginning) on."""

    key: str
    since: datetime | None


Owner = User | Provisional


def customer_id_of(workspace_id: UUID, owner: Owner) -> UUID:
    """The derived id of a customer: the same events give the same id in any order."""
    return customer_ids(workspace_id)(owner)


@lru_cache(maxsize=WORKSPACES_KEPT)
def customer_ids(workspace_id: UUID) -> Callable[[Owner], UUID]:
    """`customer_id_of` for many owners of one workspace."""

    @lru_cache(maxsize=DERIVED_KEPT)
    def id_of(owner: Owner) -> UUID:
        match owner:
            case User(user_id):
                return derived_id(workspace_id, f"user:{user_id}")
            case Provisional(key, since):
                start = "" if since is None else since.isoformat()
                return derived_id(workspace_id, f"key:{start}:{key}")

    return id_of


def device_row_id(workspace_id: UUID, device_id: str) -> UUID:
    return derived_id(workspace_id, f"device:{device_id}")
