"""What a plan of ingestion asks for: rows to read, rows to write. Pure.

A plan is a generator. It reads as if it had the rows at hand,

    known = yield from LockIdentifiers(keys)

and does no I/O: whoever drives it answers each request, the stores in production
(`customers/ingestion.py`), dictionaries in tests (`tests/support/book.py`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from msgspec import Struct

from clarion.customers.devices.device import Deletion, KeptDevice
from clarion.customers.devices.device_plan import Holder
from clarion.customers.devices.history import HistoryEntry
from clarion.customers.identity.batch import Arrival
from clarion.customers.identity.claims.claim import Claim
from clarion.customers.identity.claims.repeated_claims import Day
from clarion.customers.identity.identifier import Flags
from clarion.customers.identity.known import Identifier, Stored
from clarion.customers.identity.ownership import Decider, Owned
from clarion.customers.profile.customer import ActiveCustomer, CustomerRecord, TraitClaim
from clarion.events.before import Before

T = TypeVar("T")

Keyed = tuple[str | None, Arrival]
"""An event, and the key that decides whose it is; None: it names nobody."""


class Request(Struct, Generic[T], frozen=True):
    """T is what it is answered with."""

    def __iter__(self) -> Generator[Self, T, T]:
        answer: T = yield self
        return answer


class Write(Request[None], frozen=True):
    """Rows to write."""


class Compute(Request[T], Generic[T], frozen=True):
    """What `work`, which only computes, makes of `size` events: it may take long enough to keep
    others waiting."""

    size: int
    work: Callable[[], T]


# --- before anything is decided -------------------------------------------------------------


class LockIdentifiers(Request[dict[str, Identifier]], frozen=True):
    """What is stored of `keys`, which nobody else changes until the plan ends (R13)."""

    keys: Collection[str]


class LookBefore(Request[Before], frozen=True):
    message_ids: Sequence[str]


class LetThrough(Request[tuple[Sequence[Arrival], Sequence[Arrival]]], frozen=True):
    """(The events that are nobody's who is suppressed, those that are dropped.) `known`: the
    identifiers that were there before."""

    arrivals: Sequence[Arrival]
    known: Collection[str]
    salt: bytes


# --- whose events are -----------------------------------------------------------------------


class KeysOf(Request[set[str]], frozen=True):
    """The keys that any of `user_ids` has ever claimed, and the devices that one has deleted."""

    user_ids: Collection[str]


class ClaimsOn(Request[dict[str, Stored]], frozen=True):
    """The stored claims on each of `keys` that has any."""

    keys: Collection[str]


class FlagsOf(Request[dict[str, Flags]], frozen=True):
    keys: Collection[str]


class ClaimsToldAgain(Request[dict[str, list[Claim]]], frozen=True):
    """The claims on each key that were left to the events of its days."""

    days: Mapping[str, AbstractSet[Day]]


class WriteIdentity(Write, frozen=True):
    """`owned`: whose keys are from now on; of those `outdated` the periods are removed first, of
    the keys `led` the leads. `near`: sources that may be new. `companions`: (id, key)."""

    claims: Sequence[Claim]
    identifiers: Mapping[str, Identifier]
    owned: Mapping[Decider, Owned]
    outdated: Sequence[Decider]
    led: Collection[str]
    near: Collection[UUID]
    companions: Collection[tuple[str, str]]


class WriteEvents(Write, frozen=True):
    """`hashes`: what their messageIds are known by. `receipts`: messageIds of those that tell of a
    push; `awaited`: names of tracks that a launch waits for. `taught`: those that are kept as trait
    claims, too."""

    events: Sequence[Keyed]
    hashes: Mapping[str, bytes]
    receipts: Collection[str]
    awaited: Collection[str]
    taught: Sequence[Keyed]


# --- what is known of customers -------------------------------------------------------------


class FewClaims(Request[set[UUID]], frozen=True):
    """Those of `customer_ids` who have no more than `most` trait claims."""

    customer_ids: Collection[UUID]
    most: int


class LockCustomers(Request[dict[UUID, CustomerRecord]], frozen=True):
    customer_ids: Collection[UUID]


class SeenBetween(Request[dict[UUID, tuple[datetime, datetime | None]]], frozen=True):
    """The first and last event of each that has any; None: the person was not there, and they are
    removed."""

    customer_ids: Collection[UUID]


class TraitClaimsOf(Request[dict[UUID, list[TraitClaim]]], frozen=True):
    customer_ids: Collection[UUID]


class LastSeen(Request[datetime | None], frozen=True):
    """The last event of a customer but for those whose messageIds are `unseen`."""

    customer_id: UUID
    unseen: Collection[str]


class WriteCustomers(Write, frozen=True):
    """`seen`: of them only the times are widened, where they are there."""

    seen: Sequence[ActiveCustomer]
    kept: Sequence[CustomerRecord]


class ForgetCustomers(Write, frozen=True):
    """Remove those whom no device points at."""

    customer_ids: Collection[UUID]


# --- where they can be reached --------------------------------------------------------------


class LockHolders(Request[dict[str, Holder]], frozen=True):
    """Where installations live, by hash, for those that live anywhere."""

    hashes: Collection[str]


class LockDevices(Request[tuple[dict[str, KeptDevice], dict[str, list[Deletion]]]], frozen=True):
    """Those of `device_ids` that exist, and what apps have said of them being gone."""

    device_ids: Collection[str]


class DeletionsOf(Request[dict[str, list[Deletion]]], frozen=True):
    device_ids: Collection[str]


class CountDevices(Request[Counter[UUID]], frozen=True):
    """How many devices each can be reached on, of those that can on any."""

    customer_ids: Collection[UUID]


class WriteDeletions(Write, frozen=True):
    """`outdated`: of these devices those before a time are removed."""

    deletions: Sequence[Deletion]
    outdated: Mapping[str, datetime]


class WriteDevices(Write, frozen=True):
    """`…_before`: as they were stored."""

    devices: Sequence[KeptDevice]
    devices_before: Mapping[str, KeptDevice]
    holders: Iterable[Holder]
    holders_before: Mapping[str, Holder]
    history: Sequence[HistoryEntry]


Read = (
    LockIdentifiers | LookBefore | LetThrough | KeysOf | ClaimsOn | FlagsOf | ClaimsToldAgain
    | FewClaims | LockCustomers | SeenBetween | TraitClaimsOf | LastSeen
    | LockHolders | LockDevices | DeletionsOf | CountDevices
)  # fmt: skip
Written = (
    WriteIdentity | WriteEvents | WriteCustomers | ForgetCustomers | WriteDeletions | WriteDevices
)
Asked = Compute[Any] | Read | Written
Plan = Generator[Asked, Any, T]
"""Each request is answered before the plan goes on."""
