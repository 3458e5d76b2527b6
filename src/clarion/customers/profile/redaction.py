"""What people are shown of what apps sent: everything but secrets. Pure.

What a trait or a property is called says nothing: `cart_token`, `staff_id` and `ref_id` are the
business's own words. A secret is known by two things:

- **its place**: the fields by which an event registers a device, its write key, its signature
  (`secrecy.secret_places`);
- **its value**: a token that Clarion knows, wherever it stands, alone or within a text; and what
  has the shape of an FCM registration token (`<FID>:APA91b…`), known or not.

The ids by which people and devices are found (userId, deviceId …) are never secrets, even where an
app uses its Firebase installation id as `deviceId`: they are shown everywhere else.

A secret is shown as a fingerprint: enough to compare two of them and to find the device, useless to
send with. What is exported to be imported again leaves it out instead (`body_left_out`): a
fingerprint would be imported as if it were the value.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from clarion.customers.devices.device import FINGERPRINT_CHARACTERS, token_hash
from clarion.customers.devices.facts import SECRET_FACTS
from clarion.events.messages.secret_fields import FCM_TOKEN, IDENTIFIED_BY, Path, secret_places

SECRET_CHARACTERS_MIN = 20
"""No address of FCM or APNs is shorter. A shorter text is a secret by its place only: else whoever
registers "Paris" as a token would hide every Paris."""
_OF_TOKENS = "A-Za-z0-9_:-"
_ANCHOR = 12
"""So many first characters of a known token are looked for in a text before the whole of it."""

_RUN = re.compile(rf"[{_OF_TOKENS}]{{{SECRET_CHARACTERS_MIN},}}")
_WORD = re.compile(rf"(?:\\[bfnrt])?([{_OF_TOKENS}]{{{SECRET_CHARACTERS_MIN},4096}})")
"""`\\n` before a word is JSON's."""
_IDS: frozenset[Path] = frozenset(
    {
        ("userId",), ("anonymousId",), ("previousId",), ("groupId",), ("messageId",),
        ("properties", "deviceId"), ("properties", "device_id"), ("context", "device", "id"),
        ("traits", "deviceId"), ("traits", "device_id"), ("context", "traits", "deviceId"),
    }
)  # fmt: skip

_PLAIN = frozenset({type(None), bool, int, float})


class _LeftOut(msgspec.Struct, frozen=True):
    """Stands in the place of what is left out."""


_LEFT_OUT = _LeftOut()


def shown_body(body: str, known: Collection[str] = ()) -> Any:
    """An event's JSON as people may see it; `known`: tokens that Clarion knows."""
    event = msgspec.json.decode(body)
    return _of_event(event, known).shown(event) if isinstance(event, dict) else event


def shown_properties(body: str) -> Mapping[str, Any]:
    """The properties alone of an event's JSON, as `shown_body` has them; empty: it has none. An
    SDK's context is most of a body, and takes longest."""
    event = msgspec.json.decode(body)
    properties = event.get("properties") if isinstance(event, dict) else None
    if not isinstance(properties, dict):
        return {}
    shown: Mapping[str, Any] = _of_event(event, ()).shown(properties, ("properties",))
    return shown


def shown_traits(traits: Mapping[str, Any], known: Collection[str] = ()) -> dict[str, Any]:
    """A customer's traits as people may see them. `pushToken` is a field by which an identify
    registers a device."""
    shown: dict[str, Any] = _Redaction(known, _places_of_traits(traits)).shown(traits)
    return shown


def shown_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """What a device's SDKs told, as people may see it."""
    return {
        name: _fingerprint(value) if name in SECRET_FACTS else value
        for name, value in facts.items()
    }


def facts_left_out(facts: Mapping[str, str] | None) -> dict[str, str] | None:
    """What a device's SDKs told, without what pushes could be sent to."""
    if facts is None:
        return None
    return {name: value for name, value in facts.items() if name not in SECRET_FACTS}


def shown_text(text: str, known: Collection[str] = ()) -> str:
    """A text without the tokens in it."""
    return _Redaction(known).text(text)


def traits_left_out(
    traits: Mapping[str, Any], known: Collection[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """The traits that hold no secret, and the names of those that do: whoever imports a trait
    replaces it whole, so one of which anything is missing is missing whole."""
    kept: dict[str, Any] = {}
    left_out: list[str] = []
    redaction = _Redaction(known, _places_of_traits(traits), leaves_out=True)
    for name, value in traits.items():
        redaction.left_out.clear()
        part = redaction.shown({name: value})
        if redaction.left_out:
            left_out.append(_Redaction(known).text(name))
        else:
            kept |= part
    return kept, left_out


def body_left_out(
    event: Mapping[str, Any], known: Collection[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """An event without the members that hold a secret, and where those stood."""
    redaction = _of_event(event, known, leaves_out=True)
    kept: dict[str, Any] = redaction.shown(event)
    return kept, [".".join(map(_Redaction(known).text, path)) for path in redaction.left_out]


def words_of(texts: Iterable[str]) -> set[str]:
    """What in texts, or in JSON, can be a token that is not known for one by its shape."""
    words = {word for text in texts for word in _WORD.findall(text) if ":APA91b" not in word}
    parts = {part for word in words if ":" in word for part in word.split(":")}
    return words | {part for part in parts if len(part) >= SECRET_CHARACTERS_MIN}


class _Redaction:
    """One reading of a value: what stands at `places` is a secret, and so is what is `known`."""

    def __init__(
        self, known: Iterable[str], places: Iterable[Path] = (), *, leaves_out: bool = False
    ) -> None:
        self._places = frozenset(places)
        self._leaves_out = leaves_out
        self._known: dict[str, list[str]] = {}
        for token in sorted(known, key=len, reverse=True):
            if _RUN.fullmatch(token):
                self._known.setdefault(token[:_ANCHOR], []).append(token)
        self.left_out: list[Path] = []

    def shown(self, value: Any, path: Path = ()) -> Any:
        match value:
            case str():
                return self._shown_text(value, path)
            case None | bool() | int() | float():  # before Mapping, which takes long to deny
                return value
            case list():
                items = [self.shown(item, (*path, str(at))) for at, item in enumerate(value)]
                return [None if item is _LEFT_OUT else item for item in items]
            case dict() | Mapping():
                members = {}
                for name, inner in value.items():
                    is_short = len(name) < SECRET_CHARACTERS_MIN
                    shown_name = name if is_short else self.text(name)
                    if self._leaves_out and shown_name != name:
                        self.left_out.append((*path, name))
                        continue
                    if self._is_plain(inner):
                        members[shown_name] = inner
                        continue
                    shown = self.shown(inner, (*path, name))
                    if shown is not _LEFT_OUT:
                        members[shown_name] = shown
                return members
            case _:
                return value

    def _is_plain(self, value: Any) -> bool:
        """Whether it is no secret wherever it stands, as most values: said without a look at where
        that is."""
        kind = type(value)
        if kind is str:
            return len(value) < SECRET_CHARACTERS_MIN and not self._places
        return kind in _PLAIN

    def text(self, text: str) -> str:
        """With a fingerprint in place of every token in it."""
        if len(text) < SECRET_CHARACTERS_MIN:
            return text
        shown = FCM_TOKEN.sub(lambda match: _fingerprint(unquote(match[0])), text)
        return _RUN.sub(lambda match: self._run(match[0]), shown) if self._known else shown

    def _shown_text(self, text: str, path: Path) -> Any:
        if path in _IDS:
            return text
        shown = self.text(text)
        if path in self._places and text.strip():
            shown = _fingerprint(text)
        if self._leaves_out and shown != text:
            self.left_out.append(path)
            return _LEFT_OUT
        return shown

    def _run(self, run: str) -> str:
        """Of a run of a token's characters: every token stands within one."""
        position = 0
        while position <= len(run) - SECRET_CHARACTERS_MIN:
            for token in self._known.get(run[position : position + _ANCHOR], ()):
                if run.startswith(token, position):
                    hidden = _fingerprint(token)
                    run = run[:position] + hidden + run[position + len(token) :]
                    position += len(hidden) - 1
                    break
            position += 1
        return run


def _of_event(
    event: Mapping[str, Any], known: Collection[str], *, leaves_out: bool = False
) -> _Redaction:
    """What an event registers a device by is known, too, and what names people and devices in it
    is no secret."""
    places = secret_places(event)
    secrets = {str(_at(event, path)).strip() for path in places} | set(known)
    if secrets:
        secrets -= {named_by for path in _IDS if isinstance(named_by := _at(event, path), str)}
    return _Redaction(secrets, places, leaves_out=leaves_out)


def _at(event: Any, path: Path) -> Any:
    for name in path:
        if isinstance(event, list):
            event = event[int(name)]
        else:
            event = event.get(name) if isinstance(event, dict | Mapping) else None
    return event


def _places_of_traits(traits: Mapping[str, Any]) -> list[Path]:
    return [(name,) for name in IDENTIFIED_BY if isinstance(traits.get(name), str)]


def _fingerprint(token: str) -> str:
    return f"fingerprint:{token_hash(token.strip())[:FINGERPRINT_CHARACTERS]}"
