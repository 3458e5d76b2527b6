"""The demo's cast and what they do: pure, and the same for every run of one seed.

`make_world` tells a month: people install apps, use them unknown, sign in, hand devices over, sign
out, decline push. It keeps the books while it tells, in the simplest way, as the facts of a story;
what Clarion makes of the calls must come out the same. Afterwards every device's token decides what
the simulator will answer.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from clarion.customers.devices.device import Platform

PEOPLE = 4_300
"""Who sign in, sooner or later."""
DEVICES = 8_000
UNKNOWN_DEVICES = 500
"""Registered, and never signed in."""
UNKNOWN_DECLINERS = 100
"""Never signed in, and said no to push: known by their anonymous id alone."""
DECLINERS = 250
"""Sign in, and said no to push: no device of theirs is registered."""
SHARED = 250
"""Devices that change hands."""
SIGNED_OUT = 100
REFRESHED = 1_200
OPTED_OUT = 150
"""People who take push back in their preferences."""
REPEATED = 500
"""Calls that a client sends twice, with one messageId."""
DAYS = 30

PROMPTS = {"dead-": 240, "malformed-": 40, "apns-dead-": 40}
"""How a token begins, and on how many devices: the simulator chooses its answer by it."""

_FIRST_NAMES = (
    "Ada", "Alan", "Barbara", "Claude", "Donald", "Edsger", "Frances", "Grace", "Hedy", "Ivan",
    "Jean", "Katherine", "Leslie", "Margaret", "Niklaus", "Olga", "Peter", "Radia", "Sophie", "Tim",
)  # fmt: skip
_CITIES = ("Berlin", "Lagos", "Lima", "Oslo", "Pune", "Seoul", "Sydney", "Toronto")
_SCREENS = ("Home", "Search", "Product", "Basket", "Account", "Orders", "Help")
_PLATFORMS = (Platform.ANDROID,) * 11 + (Platform.IOS,) * 6 + (Platform.WEB,) * 3


class Verb(StrEnum):
    TRACK = "track"
    IDENTIFY = "identify"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an app's SDK."""

    verb: Verb
    platform: Platform
    at: datetime
    message_id: str
    user_id: str | None
    anonymous_id: str | None
    name: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Properties, or an identify's traits."""


@dataclass(slots=True, kw_only=True)
class Person:
    user_id: str
    first_name: str
    is_opted_out: bool = False


@dataclass(slots=True, kw_only=True)
class Installation:
    """An app on a device. `owner` None: nobody is signed in on it."""

    device_id: str
    platform: Platform
    token: str = field(repr=False)
    owner: Person | None = None

    @property
    def is_reached(self) -> bool:
        """Whether its owner wants push."""
        return self.owner is None or not self.owner.is_opted_out


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The story, and what must be true at its end.

    The calls are in order of time for each device; the devices tell their months one after
    another, so those of a person with several arrive out of order, as after weeks offline.
    """

    calls: list[Call]
    repeats: list[Call]
    people: list[Person]
    devices: list[Installation]
    customers: int
    """Everybody who must be known: people, and those who are not signed in."""

    def count_tokens(self, *beginnings: str) -> int:
        """Reachable devices whose token begins like that."""
        return sum(
            device.is_reached and device.token.startswith(beginnings) for device in self.devices
        )


def make_world(now: datetime, seed: int, scale: float = 1.0) -> World:
    """A month that ends a little before `now`. `scale` shrinks every number alike."""
    return _Story(now, seed, scale).told()


class _Story:
    def __init__(self, now: datetime, seed: int, scale: float) -> None:
        self._random = random.Random(seed)
        self._begin = now - timedelta(days=DAYS)
        self._scale = scale
        self._calls: list[Call] = []
        self._run = f"{self._random.getrandbits(48):012x}"

    def told(self) -> World:
        number = self._number
        people = [self._person(index) for index in range(number(PEOPLE))]
        decliners, owners = people[: number(DECLINERS)], people[number(DECLINERS) :]
        for person in self._random.sample(owners, number(OPTED_OUT)):
            person.is_opted_out = True
        devices = [self._installation() for _ in range(number(DEVICES))]
        unknown = devices[: number(UNKNOWN_DEVICES)]
        owned = devices[len(unknown) :]
        shared = set(self._pick(owned, number(SHARED)))
        left = [device.device_id for device in owned if device.device_id not in shared]
        signed_out = set(self._random.sample(left, number(SIGNED_OUT)))
        refreshed = set(self._pick(devices, number(REFRESHED)))

        for person in decliners:
            self._declines(self._installation(), person)
        for _ in range(number(UNKNOWN_DECLINERS)):
            self._declines(self._installation(), None)
        for installation in unknown:
            self._uses_unknown(installation, self._installs(installation))
        for index, installation in enumerate(owned):
            # Everybody has a first device; the rest fall where they fall.
            person = owners[index] if index < len(owners) else self._random.choice(owners)
            at = self._signs_in(
                installation, person, self._uses_unknown(installation, self._installs(installation))
            )
            if installation.device_id in shared:
                at = self._signs_out(installation, at)
                at = self._signs_in(installation, self._random.choice(owners), at)
            if installation.device_id in signed_out:
                self._signs_out(installation, at)
        self._end_tokens(devices, refreshed)
        return World(
            calls=self._calls,
            repeats=self._random.sample(self._calls, number(REPEATED)),
            people=people,
            devices=devices,
            customers=len(people) + len(unknown) + number(UNKNOWN_DECLINERS) + len(signed_out),
        )

    def _number(self, count: int) -> int:
        return max(1, round(count * self._scale))

    def _pick(self, devices: list[Installation], count: int) -> Iterator[str]:
        return (device.device_id for device in self._random.sample(devices, count))

    def _person(self, index: int) -> Person:
        return Person(user_id=f"user-{index + 1:05}", first_name=self._random.choice(_FIRST_NAMES))

    def _installation(self) -> Installation:
        platform = self._random.choice(_PLATFORMS)
        device_id = f"{platform.value.lower()}-{self._random.getrandbits(72):018x}"
        return Installation(device_id=device_id, platform=platform, token=self._token())

    def _token(self, beginning: str = "") -> str:
        body = f"{self._random.getrandbits(512):0128x}"
        return f"{beginning}{body[:22]}:APA91b{body[22:]}"

    def _later(self, at: datetime, hours: float) -> datetime:
        return at + timedelta(hours=self._random.uniform(hours / 4, hours))

    def _says(self, verb: Verb, installation: Installation, at: datetime, **rest: Any) -> None:
        person = rest.pop("user_id", None)
        self._calls.append(
            Call(
                verb=verb,
                platform=installation.platform,
                at=at,
                message_id=f"demo-{self._run}-{len(self._calls)}",
                user_id=person,
                anonymous_id=rest.pop("anonymous_id", None),
                **rest,
            )
        )

    def _registers(self, installation: Installation, at: datetime) -> None:
        """Before sign-in, and after sign-out, an app names the device itself as its user."""
        self._says(
            Verb.TRACK,
            installation,
            at,
            name="Register Push",
            user_id=installation.owner.user_id if installation.owner else installation.device_id,
            fields={
                "deviceId": installation.device_id,
                "fcmToken": installation.token,
                "deviceType": installation.platform.value,
            },
        )

    def _installs(self, installation: Installation) -> datetime:
        at = self._begin + timedelta(days=self._random.uniform(0, DAYS - 10))
        self._says(
            Verb.TRACK,
            installation,
            at,
            name="Application Installed",
            anonymous_id=installation.device_id,
        )
        at = self._later(at, 0.1)
        self._registers(installation, at)
        return at

    def _uses_unknown(self, installation: Installation, at: datetime) -> datetime:
        at = self._later(at, 20)
        self._says(
            Verb.SCREEN,
            installation,
            at,
            name=self._random.choice(_SCREENS),
            user_id=installation.device_id,
        )
        return at

    def _signs_in(self, installation: Installation, person: Person, at: datetime) -> datetime:
        at = self._later(at, 30)
        installation.owner = person
        self._identifies(installation, person, at)
        at = self._later(at, 0.1)
        self._registers(installation, at)
        at = self._later(at, 20)
        self._says(
            Verb.SCREEN,
            installation,
            at,
            name=self._random.choice(_SCREENS),
            user_id=person.user_id,
            anonymous_id=installation.device_id,
        )
        return at

    def _identifies(self, installation: Installation, person: Person, at: datetime) -> None:
        traits: dict[str, Any] = {
            "first_name": person.first_name,
            "email": f"{person.user_id}@example.org",
            "city": _CITIES[len(person.user_id + person.first_name) % len(_CITIES)],
            "plan": "pro" if person.user_id.endswith(("3", "7")) else "free",
        }
        if person.is_opted_out:
            channels = [{"channel": "push", "subscribed": False}]
            traits["marketingPreferences"] = {"channels": channels}
        self._says(
            Verb.IDENTIFY,
            installation,
            at,
            user_id=person.user_id,
            anonymous_id=installation.device_id,
            fields=traits,
        )

    def _signs_out(self, installation: Installation, at: datetime) -> datetime:
        at = self._later(at, 30)
        installation.owner = None
        self._registers(installation, at)
        return self._uses_unknown(installation, at)

    def _declines(self, installation: Installation, person: Person | None) -> None:
        """No push: nothing is registered, and before sign-in there is an anonymous id alone."""
        at = self._begin + timedelta(days=self._random.uniform(0, DAYS - 10))
        self._says(
            Verb.TRACK,
            installation,
            at,
            name="Application Installed",
            anonymous_id=installation.device_id,
        )
        for _ in range(2):
            at = self._later(at, 20)
            name = self._random.choice(_SCREENS)
            self._says(
                Verb.SCREEN, installation, at, name=name, anonymous_id=installation.device_id
            )
        if person is not None:
            self._identifies(installation, person, self._later(at, 20))

    def _end_tokens(self, devices: list[Installation], refreshed: set[str]) -> None:
        """Refresh tokens, the last of the month; some of them will make FCM answer otherwise."""
        at = self._begin + timedelta(days=DAYS - 2)
        for installation in devices:
            if installation.device_id in refreshed:
                installation.token = self._token()
                self._registers(installation, self._later(at, 24))
        waiting = self._random.sample(devices, len(devices))
        for beginning, count in PROMPTS.items():
            for _ in range(self._number(count)):
                installation = _next(
                    waiting, Platform.IOS if beginning.startswith("apns") else None
                )
                installation.token = self._token(beginning)
                self._registers(installation, self._later(at + timedelta(hours=25), 20))


def _next(waiting: list[Installation], platform: Platform | None) -> Installation:
    """Take one out of `waiting`, of that platform if one is named."""
    index = next(
        index
        for index, installation in enumerate(waiting)
        if platform in (None, installation.platform)
    )
    return waiting.pop(index)
