"""Registrations with a life: who is listed here has the life that was given. No I/O.

    POST   registered ──────────────┐   a send is accepted   ┌──────────────┐
    PATCH  uninstalled ─ one send ──┼────────────────────────│ unregistered │ 404 UNREGISTERED
           expired, unregistered ───┘                        └──────────────┘
           apns_dead, apns_bad: 400, APNs says so;   wrong_sender: 403 SENDER_ID_MISMATCH

A token and an installation id (FID) may belong to one installation. Once a send to the FID was
accepted, the token is dead; when the app asks for a token again, the FID is. A token that is
spelled `<fid>:…` belongs to that FID even if neither is listed. An FID that an app has read and
never registered is listed with `reached_by: token`: sends to it are UNREGISTERED, and the token
lives on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count, islice

import msgspec

from fcm_simulator.fcm import answers
from fcm_simulator.fcm.answers import Reply


class Life(StrEnum):
    REGISTERED = "registered"
    UNINSTALLED = "uninstalled"
    """The next push is accepted, and FCM knows from then on."""
    UNREGISTERED = "unregistered"
    EXPIRED = "expired"
    """270 days without a connection: the same answer."""
    APNS_DEAD = "apns_dead"
    APNS_BAD = "apns_bad"
    WRONG_SENDER = "wrong_sender"


class System(StrEnum):
    ANDROID = "android"
    IOS = "ios"
    WEB = "web"


class ReachedBy(StrEnum):
    """Which of its names FCM takes, where it has both."""

    BOTH = "both"
    FID = "fid"
    TOKEN = "token"  # noqa: S105, the name of a field


class Registration(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A line of a seed file, and the body of `POST /simulator/registrations`."""

    token: str = ""
    fid: str = ""
    state: Life = Life.REGISTERED
    platform: System = System.ANDROID
    project: str = ""
    """Whose it is; another project's sender is the wrong one. Empty: anybody's."""
    reached_by: ReachedBy = ReachedBy.BOTH
    number: int = 0
    """Given by the simulator."""

    def __post_init__(self) -> None:
        if not self.token and not self.fid:
            raise ValueError("a registration has a token, a fid or both")

    @property
    def key(self) -> str:
        """What its topics are kept under, whatever its token becomes."""
        return f"#{self.number}"


class Change(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of PATCH: what is named is changed, the rest stays."""

    token: str | None = None
    """The app asked for a token again: it is this one, and the FID is dead."""
    fid: str | None = None
    """The installation registered this FID: both are good until the FID is sent to."""
    state: Life | None = None
    platform: System | None = None
    project: str | None = None
    reached_by: ReachedBy | None = None
    """`token`: the FID was read and not registered, or is no longer."""


@dataclass
class Registrations:
    is_strict: bool = False
    """Nobody is registered who is not listed."""
    _by_name: dict[str, Registration] = field(default_factory=dict)
    _by_number: dict[int, Registration] = field(default_factory=dict)
    _sent_fids: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, registrations: Iterable[Registration]) -> int:
        """Whoever had one of these names before has it no longer. How many were added."""
        added = 0
        for registration in registrations:
            registration.number = next(self._numbers)
            self._by_number[registration.number] = registration
            self._name(registration)
            added += 1
        return added

    def find(self, name: str) -> Registration | None:
        """By its token or FID."""
        return self._by_name.get(name)

    def change(self, registration: Registration, change: Change) -> None:
        for name in (registration.token, registration.fid):
            if self._by_name.get(name) is registration:
                del self._by_name[name]
        if change.token is not None:
            registration.token = change.token
            registration.reached_by = ReachedBy.TOKEN
        if change.fid is not None:
            registration.fid = change.fid
            registration.reached_by = ReachedBy.BOTH
        registration.state = change.state or registration.state
        registration.platform = change.platform or registration.platform
        if change.project is not None:
            registration.project = change.project
        registration.reached_by = change.reached_by or registration.reached_by
        self._name(registration)

    def page(self, after: int, limit: int) -> list[Registration]:
        """Those with a greater number, in its order."""
        later = (registration for number, registration in self._by_number.items() if number > after)
        return list(islice(later, limit))

    def __len__(self) -> int:
        return len(self._by_number)

    def refusal(self, project: str, name: str) -> Reply | None:
        """What FCM says of a send to this token or FID, if it does not take it."""
        registration = self._by_name.get(name)
        if self._is_old_token(name) or (registration is None and self.is_strict):
            return answers.unregistered()
        if registration is None:
            return None
        if registration.project and registration.project != project:
            return answers.sender_mismatch()
        if registration.reached_by is (
            ReachedBy.TOKEN if name == registration.fid else ReachedBy.FID
        ):
            return answers.unregistered()
        match registration.state:
            case Life.REGISTERED | Life.UNINSTALLED:
                return None
            case Life.UNREGISTERED | Life.EXPIRED:
                return answers.unregistered()
            case Life.APNS_DEAD:
                return answers.apns_token_disabled()
            case Life.APNS_BAD:
                return answers.apns_bad_token()
            case Life.WRONG_SENDER:
                return answers.sender_mismatch()

    def accepted(self, name: str, *, as_fid: bool) -> None:
        """A send to it was accepted."""
        if as_fid:
            self._sent_fids.add(name)
        registration = self._by_name.get(name)
        if registration is None:
            return
        if registration.state is Life.UNINSTALLED:
            registration.state = Life.UNREGISTERED
        if name == registration.fid and registration.token:
            registration.reached_by = ReachedBy.FID

    def key(self, name: str) -> str:
        """What the topics of this token or FID are kept under: those of its installation."""
        registration = self._by_name.get(name)
        return registration.key if registration is not None else name.partition(":")[0]

    def all_keys(self) -> Iterator[str]:
        """Of everybody who is listed."""
        return (registration.key for registration in self._by_number.values())

    def is_reachable(self, key: str, project: str) -> bool:
        """Whether a push to a topic of its reaches it."""
        if not key.startswith("#"):
            return not self.is_strict
        registration = self._by_number.get(int(key[1:]))
        return (
            registration is not None
            and registration.state is Life.REGISTERED
            and registration.project in ("", project)
        )

    def _name(self, registration: Registration) -> None:
        for name in filter(None, (registration.token, registration.fid)):
            before = self._by_name.get(name)
            if before is not None and before is not registration:
                self._forget(before)
            self._by_name[name] = registration
            self._sent_fids.discard(name.partition(":")[0])

    def _forget(self, registration: Registration) -> None:
        del self._by_number[registration.number]
        for name in (registration.token, registration.fid):
            if self._by_name.get(name) is registration:
                del self._by_name[name]

    def _is_old_token(self, name: str) -> bool:
        fid, colon, _ = name.partition(":")
        return bool(colon) and fid in self._sent_fids


def read_seed(lines: bytes) -> list[Registration]:
    """A seed file: one JSON object a line. Raises ValueError, naming the line."""
    listed = []
    for number, line in enumerate(lines.splitlines(), 1):
        if not line.strip():
            continue
        try:
            listed.append(msgspec.json.decode(line, type=Registration))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"line {number}: {error}") from None
    return listed
