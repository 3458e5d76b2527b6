"""Promise 4 in any story of phones: no healthy registration is removed, no dead one is kept, and an
installation gets one push."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from clarion.customers.devices.device import DeviceState, Removed, TokenKind, token_hash
from clarion.customers.devices.liveness import without
from support.book import Book
from support.history import DAY, App
from support.sampling import examples

ACTIONS = [
    "register token",
    "register fid",
    "register both",
    "token rotates",
    "fid dies",
    "uninstall",
    "reinstall",
    "reinstall as another device",
    "device id changes",
    "delete",
    "delete by name",
    "campaign",
]


@dataclass
class Phone:
    """An installation: what FCM knows of it (`alive`), and what the app has told of itself."""

    number: int
    device_id: str = ""
    installs: int = 0
    tokens: int = 0
    is_installed: bool = False
    alive: set[str] = field(default_factory=set)
    told: dict[TokenKind, str] = field(default_factory=dict)
    told_as: str = ""
    """The device id it was told under."""
    last_told: str | None = None

    def install(self, device_id: str) -> None:
        self.installs += 1
        self.device_id = device_id
        self.is_installed = True
        self.alive = set()
        self.told = {}
        self.last_told = None

    @property
    def fid(self) -> str:
        return f"c{self.number:010}{self.installs:011}"

    @property
    def token(self) -> str:
        return f"{self.fid}:APA91b{self.tokens}"

    @property
    def is_reachable(self) -> bool:
        return any(one in self.alive for one in self.told.values())


@dataclass
class Story:
    phones: list[Phone]
    app: App = field(default_factory=App)
    book: Book = field(default_factory=Book)
    minute: int = 0

    def tell(self, phone: Phone, action: str) -> None:
        self.minute += 1
        if action == "campaign":
            self.campaign()
        elif action.startswith("reinstall"):
            ids = {"reinstall": f"D{phone.number}"}
            phone.install(ids.get(action, f"D{phone.number}-{phone.installs}"))
        elif phone.is_installed:
            self.live(phone, action)

    def live(self, phone: Phone, action: str) -> None:
        match action:
            case "register token":
                self.register(phone, token=phone.token)
            case "register fid":
                self.register(phone, fid=phone.fid)
            case "register both":
                self.register(phone, token=phone.token, fid=phone.fid)
            case "token rotates":
                phone.alive.discard(phone.token)
                phone.tokens += 1
            case "fid dies":
                phone.alive.discard(phone.fid)
            case "uninstall":
                phone.is_installed = False
                phone.alive = set()
            case "device id changes":
                phone.device_id += "x"
                phone.last_told = None
            case "delete" | "delete by name":
                named = phone.last_told if action == "delete by name" else None
                gone = {"fid": named} if named and ":" not in named else {"token": named}
                event = self.app.told(
                    self.minute, "Device Deleted", phone.device_id, user="U", **gone
                )
                self.book.take([event])
                if phone.told_as == phone.device_id:
                    phone.told, phone.last_told = {}, None

    def register(self, phone: Phone, token: str | None = None, fid: str | None = None) -> None:
        event = self.app.register(
            self.minute, phone.device_id, user="U", token=token, fid=fid, platform="Android"
        )
        self.book.take([event])
        if phone.told_as != phone.device_id:
            phone.told, phone.told_as = {}, phone.device_id
        if token is not None:
            phone.alive.add(token)
            phone.told[TokenKind.FCM] = token
        if fid is not None:
            phone.alive.add(fid)
            phone.told[TokenKind.FID] = fid
        phone.last_told = fid or token

    def campaign(self) -> tuple[dict[int, int], int]:
        """Pushes shown by phone, and how many FCM refused; refused ones are removed."""
        self.minute += 1
        shown: dict[int, int] = {phone.number: 0 for phone in self.phones}
        refused = 0
        for device_id, device in list(self.book.devices.items()):
            current = device.current
            if device.state is not DeviceState.ACTIVE:
                continue
            assert current.token is not None
            reached = [phone.number for phone in self.phones if current.token in phone.alive]
            for number in reached:
                shown[number] += 1
            if not reached:
                refused += 1
                removed = Removed(
                    token_hash=token_hash(current.token),
                    until=DAY + timedelta(minutes=self.minute),
                    reason="unregistered",
                )
                self.book.devices[device_id] = without(device, removed)
        assert max(shown.values()) <= 1, "one push to an installation"
        return shown, refused


NAMED_AND_BACK = [
    (0, "register both"),
    (0, "delete by name"),
    (0, "register fid"),
    (0, "fid dies"),
]
"""The FID was named, and the token beside it stays gone."""
NAMED_AND_REPLACED = [
    (0, "register fid"),
    (0, "register token"),
    (0, "delete by name"),
    (0, "token rotates"),
    (0, "register token"),
    (0, "token rotates"),
]
"""The token was named, and the FID that it had replaced stays gone."""


@settings(max_examples=examples(100), deadline=None)
@example(NAMED_AND_BACK)
@example(NAMED_AND_REPLACED)
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(ACTIONS)), max_size=14))
def test_any_story_of_phones_ends_with_the_reachable_ones_reached_once(story: list[Any]) -> None:
    told = Story(phones=[Phone(number=0), Phone(number=1)])
    for phone in told.phones:
        told.tell(phone, "reinstall")
    for number, action in story:
        told.tell(told.phones[number], action)
    told.campaign()
    told.campaign()
    shown, refused = told.campaign()
    assert refused == 0, "no dead registration is kept"
    assert shown == {phone.number: int(phone.is_reachable) for phone in told.phones}
