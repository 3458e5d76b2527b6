"""What SDKs tell of the device they run on, and when it was last seen: from its events. Pure.

A fact is won by the latest event that says it, whatever order they arrive in; at one instant by the
greater messageId. An event is of the device that `properties.deviceId` or `context.device.id`
names; facts are kept with that identifier, so what is told before a device registers counts, too.

Most events repeat what is known. To write something for each of them would cost more than taking it
in, so a repetition is noted once an hour: facts keep the stamp they were noted with, and of the
time last seen only the hour is kept (a registration's own time is kept besides). The price: where
a fact changes and changes back within one hour, and those events arrive out of order, the one
between may stand until the next event. Not so whether pushes are allowed, where an event that
registers or deletes says it: those are few, and whether a push is sent may hang on it.
"""

from collections.abc import Container, Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct

from clarion.clock import to_micros
from clarion.events.messages.installation import is_token
from clarion.events.messages.message import Event
from clarion.events.messages.reserved import (
    OPENING_NAMES,
    PUSH_NAMES,
    REGISTRATION_NAMES,
    plain_name,
)
from clarion.events.messages.yes_or_no import yes_or_no
from clarion.text import is_storable

LIVE_START_TOKEN = "live_activity_start_token"  # noqa: S105 - a fact's name
LIVE_TOKEN = "live_activity_token"  # noqa: S105 - a fact's name
LIVE_ID = "live_activity_id"
"""Facts of an iPhone's Live Activities: the token that one is started by, and those of the one that
runs. The tokens are shown as fingerprints."""
SECRET_FACTS = frozenset({LIVE_START_TOKEN, LIVE_TOKEN})
LIVE_TOKEN_CHARACTERS_MAX = 512
NOTED_MICROS = 3_600_000_000
"""A device that says nothing new is noted so often."""
FACT_CHARACTERS_MAX = 100
TEXTS_KEPT = 4_096
CONTEXTS_KEPT = 1_024


class PushPermission(StrEnum):
    """What the person has allowed the app."""

    GRANTED = "granted"
    PROVISIONAL = "provisional"
    """Shown quietly: iOS asks later."""
    DENIED = "denied"
    NOT_DETERMINED = "not_determined"


class Word(Struct, frozen=True, gc=False, array_like=True):
    """What one event told and no later one has told since. Few devices have more than one."""

    at: int
    """µs; with the messageId, the stamp that decides which of two counts."""
    message_id: str
    values: dict[str, str]

    @property
    def stamp(self) -> tuple[int, str]:
        return self.at, self.message_id


class Facts(Struct, frozen=True, gc=False, array_like=True):
    """What is known of one device: the hour it was last seen in (µs), and the words that count,
    the latest first. Each fact stands in one of them."""

    seen: int
    words: tuple[Word, ...]

    @property
    def values(self) -> dict[str, str]:
        return {name: value for word in self.words for name, value in word.values.items()}

    @property
    def message_ids(self) -> set[str]:
        """The events that told what is kept."""
        return {word.message_id for word in self.words}

    def without(self, message_ids: Container[str]) -> "Facts":
        """Without what these events told."""
        words = tuple(word for word in self.words if word.message_id not in message_ids)
        return Facts(self.seen, words)

    def with_word(self, event: Event, values: Mapping[str, str]) -> "Facts":
        """With what one event tells, where it is the latest word."""
        new = Word(to_micros(event.ordered_at), event.message_id, dict(values))
        words = []
        for word in self.words:
            if word.stamp > new.stamp:
                for name in word.values:
                    new.values.pop(name, None)
                words.append(word)
            elif left := {
                name: value for name, value in word.values.items() if name not in new.values
            }:
                words.append(Word(word.at, word.message_id, left))
        if new.values:
            words.append(new)
        words.sort(key=lambda word: word.stamp, reverse=True)
        return Facts(max(self.seen, _hour(to_micros(event.at))), tuple(words))

    def knows(self, event: Event, values: Mapping[str, str]) -> bool:
        """Whether what the event tells need not be written: it is known, from within the same hour,
        or is older than what is known."""
        at = to_micros(event.ordered_at)
        hour = _hour(at)
        if _hour(to_micros(event.at)) > self.seen or (
            "push_permission" in values and self._is_later(event)
        ):
            return False
        left = values.items()
        for word in self.words:
            if left <= word.values.items():
                return word.at >= hour or not left
        stamp = (at, event.message_id)
        known = {name: word for word in self.words for name in word.values}
        for name, value in left:
            word_known = known.get(name)
            if word_known is None:
                return False
            is_same = word_known.values[name] == value
            if not is_same and stamp > word_known.stamp:
                return False
            if is_same and word_known.at < hour:
                return False
        return True

    def _is_later(self, event: Event) -> bool:
        """Whether a push event comes after the word that tells the permission now."""
        if event.type != "track" or plain_name(event.name) not in PUSH_NAMES:
            return False
        stamps = [word.stamp for word in self.words if "push_permission" in word.values]
        return not stamps or (to_micros(event.ordered_at), event.message_id) > stamps[0]


NOTHING = Facts(0, ())


def noted(known: Facts | None, events: Iterable[Event]) -> Facts:
    """What to keep of a device after `events` of it: `known` itself where nothing is worth
    writing."""
    after = known
    for event in events:
        facts = told_by(event)
        if after is None or not after.knows(event, facts):
            after = (after or NOTHING).with_word(event, facts)
    return after or NOTHING


def told_by(event: Event) -> dict[str, str]:
    """What one event tells of its device."""
    facts: dict[str, str] = {}
    context = event.context
    device = context.get("device")
    said: list[Mapping[str, Any]] = []
    if event.type == "track" and (plain := plain_name(event.name)) in PUSH_NAMES:
        said.append(event.properties)
        in_properties = _WHEN_OPENED if plain in OPENING_NAMES else _IN_PROPERTIES
        _take(facts, event.properties, in_properties)
        if plain in REGISTRATION_NAMES:
            _take_live_activity(facts, event.properties)
    in_context = _in_context(context)
    if facts:
        for fact, text in in_context.items():
            facts.setdefault(fact, text)
    else:
        facts.update(in_context)
    said.append(context)
    if type(device) is dict:
        said.append(device)
    for members in said:
        if not _PERMISSION_NAMES.isdisjoint(members):
            permission = _permission(members)
            if permission is not None:
                facts["push_permission"] = permission.value
                break
    return facts


def _in_context(context: Mapping[str, Any]) -> Mapping[str, str]:
    app, os, device = context.get("app"), context.get("os"), context.get("device")
    app = app if type(app) is dict else _ABSENT
    os = os if type(os) is dict else _ABSENT
    device = device if type(device) is dict else _ABSENT
    said = (
        app.get("name"), app.get("version"), app.get("build"), os.get("name"), os.get("version"),
        device.get("manufacturer"), device.get("model"),
        context.get("locale"), context.get("timezone"),
    )  # fmt: skip
    try:
        return _facts_said(*said)
    except TypeError:  # a list or an object where a text should stand
        return _facts_said(*(value if type(value) in (str, int) else None for value in said))


@lru_cache(maxsize=CONTEXTS_KEPT, typed=True)
def _facts_said(*said: Any) -> Mapping[str, str]:
    """By `_CONTEXT_FACTS`. The phones of one model, version and language all say the same."""
    pairs = zip(_CONTEXT_FACTS, said, strict=True)
    return {
        fact: text
        for fact, value in pairs
        if (type(value) is str or type(value) is int) and (text := _text(value))
    }


def _hour(micros: int) -> int:
    return micros - micros % NOTED_MICROS


def _take(
    facts: dict[str, str], section: Mapping[str, Any], names: tuple[tuple[str, str], ...]
) -> None:
    for name, fact in names:
        value = section.get(name)
        if value is None or fact in facts:
            continue
        kind = type(value)
        if kind is str or kind is int:
            text = _text(value)
            if text:
                facts[fact] = text


def _take_live_activity(facts: dict[str, str], properties: Mapping[str, Any]) -> None:
    for name, fact in _OF_LIVE_ACTIVITIES:
        value = properties.get(name)
        if type(value) is str and is_token(value) and len(value) <= LIVE_TOKEN_CHARACTERS_MAX:
            facts[fact] = value


@lru_cache(maxsize=TEXTS_KEPT)
def _text(value: str | int) -> str:
    """A fact as it is kept; "" where it is none. The same ones are told again and again."""
    text = str(value).strip()[:FACT_CHARACTERS_MAX]
    return text if is_storable(text) else ""


def _permission(said: Mapping[str, Any]) -> PushPermission | None:
    for name in sorted(_PERMISSION_NAMES.intersection(said)):
        value = said[name]
        if name == "messaging_subscriptions":
            return _subscribed(value)
        word = value.strip().lower().replace("_", "") if type(value) is str else ""
        if word in _PERMISSIONS:
            return _PERMISSIONS[word]
        answer = yes_or_no(value)
        if answer is not None:
            return PushPermission.GRANTED if answer else PushPermission.DENIED
    return None


def _subscribed(entries: Any) -> PushPermission | None:
    for entry in entries if isinstance(entries, list) else ():
        kind, status = (entry.get("type"), entry.get("status")) if type(entry) is dict else (0, 0)
        if isinstance(kind, str) and kind.upper().endswith("_PUSH") and isinstance(status, str):
            return _SUBSCRIPTIONS.get(status.strip().upper())
    return None


_ABSENT: dict[str, Any] = {}
_CONTEXT_FACTS = (
    "app_name", "app_version", "app_build", "os_name", "os_version",
    "manufacturer", "model", "locale", "timezone",
)  # fmt: skip
_IN_PROPERTIES = (
    ("app_version", "app_version"),
    ("appVersion", "app_version"),
    ("os_version", "os_version"),
    ("osVersion", "os_version"),
    ("device_os", "os_version"),
    ("device_manufacturer", "manufacturer"),
    ("device_model", "model"),
    ("device_locale", "locale"),
    ("locale", "locale"),
    ("timezone", "timezone"),
)
_OF_LIVE_ACTIVITIES = (
    ("liveActivityStartToken", LIVE_START_TOKEN),
    ("live_activity_start_token", LIVE_START_TOKEN),
    ("liveActivityToken", LIVE_TOKEN),
    ("live_activity_token", LIVE_TOKEN),
    ("liveActivityId", LIVE_ID),
    ("live_activity_id", LIVE_ID),
)
_WHEN_OPENED = (("version", "app_version"), ("build", "app_build"), *_IN_PROPERTIES)
_PERMISSION_NAMES = frozenset(
    {
        "push_enabled",
        "pushEnabled",
        "push_permission",
        "pushPermission",
        "authorizationStatus",
        "authorization_status",
        "messaging_subscriptions",
    }
)
_PERMISSIONS = {
    "authorized": PushPermission.GRANTED,
    "granted": PushPermission.GRANTED,
    "ephemeral": PushPermission.GRANTED,
    "provisional": PushPermission.PROVISIONAL,
    "denied": PushPermission.DENIED,
    "notdetermined": PushPermission.NOT_DETERMINED,
    "default": PushPermission.NOT_DETERMINED,
}
_SUBSCRIPTIONS = {
    "SUBSCRIBED": PushPermission.GRANTED,
    "UNSUBSCRIBED": PushPermission.DENIED,
    "DID_NOT_SUBSCRIBE": PushPermission.DENIED,
}
