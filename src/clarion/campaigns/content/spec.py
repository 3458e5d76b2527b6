"""What a push says: the marketer's words, checked when saved, and rendered for one customer. Pure.

Texts may hold Liquid; `template.py` renders them. What a platform or a language should see
differently is an override of single fields. What one device sees is laid over each other, the
stronger over the weaker: the base, its platform, and for each language of the fallback chain (`de`,
then `de-AT`) that language, and that language on its platform.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from clarion.campaigns.content.appearance import Button, InterruptionLevel, dump_buttons
from clarion.campaigns.content.fields import (
    BODY_CHARACTERS_MAX,
    COLLAPSE_KEY_CHARACTERS_MAX,
    DATA_KEYS_MAX,
    RESERVED_SINCE,
    TITLE_CHARACTERS_MAX,
    TTL_SECONDS_DEFAULT,
    TTL_SECONDS_MAX,
    Priority,
    is_reserved,
    read_fields,
    reserved,
)
from clarion.campaigns.content.language import fallbacks, language_tag, variant_for
from clarion.campaigns.content.live_activity import LiveActivity, LiveEvent, dump_live_activity
from clarion.customers.devices.device import Platform
from clarion.faults import Fault

__all__ = [
    "APPEARANCE",
    "BODY_CHARACTERS_MAX",
    "COLLAPSE_KEY_CHARACTERS_MAX",
    "DATA_KEYS_MAX",
    "LANGUAGES_MAX",
    "TITLE_CHARACTERS_MAX",
    "TTL_SECONDS_DEFAULT",
    "TTL_SECONDS_MAX",
    "Content",
    "ContentSpec",
    "Priority",
    "Variant",
    "dump_content",
    "is_reserved",
    "load_content",
    "parse_content",
]

LANGUAGES_MAX = 50
APPEARANCE = (
    "icon",
    "sound",
    "badge",
    "channel",
    "color",
    "category",
    "interruption_level",
    "buttons",
    "silent",
)
"""How it looks and sounds (`appearance.py`); kept where it is said."""

Overrides = Mapping[Platform, Mapping[str, Any]]


class Content(Struct, frozen=True, kw_only=True, gc=False):
    """What one push says, rendered for one customer and one platform. Texts are final."""

    title: str | None = None
    body: str | None = None
    image: str | None = None
    link: str | None = None
    data: Mapping[str, str] = msgspec.field(default_factory=dict)
    ttl_seconds: int = TTL_SECONDS_DEFAULT
    priority: Priority = Priority.HIGH
    collapse_key: str | None = None
    fcm: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Further fields of the provider's message, in its own words; sent as they are."""
    live_activity: LiveActivity | None = None
    """It starts, updates or ends a Live Activity on iPhones, and is nothing else."""
    icon: str | None = None
    sound: str | None = None
    """A file or a resource of the app, `default`, or NO_SOUND; None: as the platform does."""
    badge: int | str | None = None
    """A number on the app's icon; in a browser, a picture's address."""
    channel: str | None = None
    color: str | None = None
    category: str | None = None
    interruption_level: InterruptionLevel | None = None
    buttons: Sequence[Button] = ()
    silent: bool = False
    """It shows nothing, whatever it says elsewhere: `for_platform` has taken its words away."""

    @property
    def is_silent(self) -> bool:
        """It shows nothing of itself: data for the app, which needs nobody's permission."""
        return not self.title and not self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What a language says differently: single fields, and on a platform again others."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSpec:
    """What a campaign says: a Content whose texts may hold Liquid, with overrides by platform, and
    variants by language tag."""

    base: Content
    overrides: Overrides = field(default_factory=dict)
    variants: Mapping[str, Variant] = field(default_factory=dict)

    def for_platform(self, platform: Platform, variant: str | None = None) -> Content:
        """What that platform shows in that variant (one of `variants`; None: the default): the base
        with all overrides; data is merged key by key."""
        content = self.base
        if layers := [layer for _, layer in self.layers(platform, variant)]:
            values = asdict(content)
            for layer in layers:
                for name, value in layer.items():
                    values[name] = {**values["data"], **value} if name == "data" else value
            content = Content(**values)
        if content.silent:
            return replace(content, title=None, body=None, image=None, buttons=())
        return content

    def layers(
        self, platform: Platform, variant: str | None = None
    ) -> list[tuple[str, Mapping[str, Any]]]:
        """What is laid over the base, the strongest last: the path at which it was written, and its
        fields. Empty ones are left out."""
        layers = [(f"content.platforms.{platform.value}", self.overrides.get(platform, {}))]
        for tag in reversed([] if variant is None else fallbacks(variant)):
            language = self.variants.get(tag)
            if language is not None:
                path = f"content.languages.{tag}"
                layers += [
                    (path, language.fields),
                    (f"{path}.platforms.{platform.value}", language.overrides.get(platform, {})),
                ]
        return [(path, layer) for path, layer in layers if layer]

    def variant_for(self, language: str | None) -> str | None:
        """The variant that who reads this language (a tag) sees; None: the default."""
        return variant_for(language, self.variants)

    def all_contents(self) -> Iterator[tuple[Platform, str | None, Content]]:
        """What each platform shows in each variant."""
        for variant in (None, *self.variants):
            for platform in Platform:
                yield platform, variant, self.for_platform(platform, variant)

    def shows_on(self, platform: Platform) -> bool:
        """Whether anybody is shown something on that platform."""
        variants = (None, *self.variants)
        return any(not self.for_platform(platform, variant).is_silent for variant in variants)


def parse_content(wire: Any) -> ContentSpec | list[Fault]:
    """The content as people write it, which is its saved form, or everything that is wrong with
    it."""
    spec = load_content(wire)
    if isinstance(spec, list):
        return spec
    faults = [
        Fault(field=f"{path}.data", message=reserved(name))
        for path, layer in _every_layer(spec)
        for name in layer.get("data") or ()
        if name in RESERVED_SINCE
    ]
    return faults or spec


def _every_layer(spec: ContentSpec) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where fields stand, and which."""
    wholes: list[tuple[str, Mapping[str, Any], Overrides]] = [
        ("content", {"data": spec.base.data}, spec.overrides)
    ]
    for tag, variant in spec.variants.items():
        wholes.append((f"content.languages.{tag}", variant.fields, variant.overrides))
    for path, whole, overrides in wholes:
        yield path, whole
        for platform, override in overrides.items():
            yield f"{path}.platforms.{platform.value}", override


def load_content(wire: Any) -> ContentSpec | list[Fault]:
    """The content in its saved form, of this version or of one before; or all that is wrong."""
    if not isinstance(wire, Mapping):
        return [Fault(field="content", message="must be an object with title and body")]
    faults: list[Fault] = []
    own = {name: value for name, value in wire.items() if name not in ("platforms", "languages")}
    values = read_fields(own, "content", faults, beside=("platforms", "languages"))
    overrides = _read_platforms(wire.get("platforms"), "content", faults)
    variants = _read_languages(wire.get("languages"), faults)
    faults += _wrong_beside_live_activity(values)
    if faults:
        return faults
    spec = ContentSpec(base=Content(**values), overrides=overrides, variants=variants)
    if spec.base.live_activity is None and not any(
        content.title or content.body or content.data for _, _, content in spec.all_contents()
    ):
        if spec.base.silent:
            message = "is missing: a push that shows nothing needs data for the app"
            return [Fault(field="content.data", message=message)]
        return [Fault(field="content.title", message="is missing: a push needs a title or body")]
    return spec


def dump_content(spec: ContentSpec) -> dict[str, Any]:
    """The saved form; `load_content` reads it back."""
    base = spec.base
    wire: dict[str, Any] = {
        "title": base.title,
        "body": base.body,
        "image": base.image,
        "link": base.link,
        "data": dict(base.data),
        "ttl_seconds": base.ttl_seconds,
        "priority": base.priority.value,
        "collapse_key": base.collapse_key,
    }
    looks = {name: getattr(base, name) for name in APPEARANCE}
    wire |= _dump_fields({name: value for name, value in looks.items() if _is_said(value)})
    if base.fcm:
        wire["fcm"] = dict(base.fcm)
    if base.live_activity is not None:
        wire["live_activity"] = dump_live_activity(base.live_activity)
    if spec.overrides:
        wire["platforms"] = _dump_overrides(spec.overrides)
    if spec.variants:
        wire["languages"] = {
            tag: _dump_fields(variant.fields)
            | ({"platforms": _dump_overrides(variant.overrides)} if variant.overrides else {})
            for tag, variant in spec.variants.items()
        }
    return wire


def _is_said(value: Any) -> bool:
    return value is not None and value is not False and value != ()


def _dump_overrides(overrides: Overrides) -> dict[str, Any]:
    return {platform.value: _dump_fields(override) for platform, override in overrides.items()}


def _dump_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _dump_value(value) for name, value in values.items()}


def _dump_value(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return dump_buttons(value) if isinstance(value, tuple) else value


def _read_platforms(wire: Any, parent: str, faults: list[Fault]) -> Overrides:
    """The overrides by platform; what is wrong is added to `faults`."""
    overrides: dict[Platform, Mapping[str, Any]] = {}
    if wire is None:
        return overrides
    if not isinstance(wire, Mapping):
        message = "must be an object: iOS, Android, Web"
        faults.append(Fault(field=f"{parent}.platforms", message=message))
        return overrides
    for name, override in wire.items():
        path = f"{parent}.platforms.{name}"
        platform = next(
            (member for member in Platform if member.value.lower() == str(name).lower()), None
        )
        if platform is None:
            faults.append(Fault(field=path, message="is unknown; use iOS, Android or Web"))
        elif platform in overrides:
            faults.append(Fault(field=path, message="comes twice, spelt differently"))
        elif not isinstance(override, Mapping):
            faults.append(Fault(field=path, message="must be an object of content fields"))
        else:
            overrides[platform] = read_fields(override, path, faults, platform=platform)
            _refuse_whole(overrides[platform], path, faults)
    return overrides


def _read_languages(wire: Any, faults: list[Fault]) -> Mapping[str, Variant]:
    """The variants by language tag; what is wrong is added to `faults`."""
    variants: dict[str, Variant] = {}
    if wire is None:
        return variants
    if not isinstance(wire, Mapping):
        message = 'must be an object by language, such as {"de": {"title": "Hallo"}}'
        faults.append(Fault(field="content.languages", message=message))
        return variants
    if len(wire) > LANGUAGES_MAX:
        message = f"has {len(wire)} languages; the limit is {LANGUAGES_MAX}"
        faults.append(Fault(field="content.languages", message=message))
        return variants
    for name, variant in wire.items():
        path = f"content.languages.{name}"
        tag = language_tag(str(name))
        if tag is None:
            message = "is no language tag; use one such as de, de-AT or zh-Hant"
            faults.append(Fault(field=path, message=message))
        elif tag in variants:
            faults.append(Fault(field=path, message="comes twice, spelt differently"))
        elif not isinstance(variant, Mapping):
            faults.append(Fault(field=path, message="must be an object of content fields"))
        else:
            own = {key: value for key, value in variant.items() if key != "platforms"}
            values = read_fields(own, path, faults, beside=("platforms",))
            _refuse_whole(values, path, faults)
            overrides = _read_platforms(variant.get("platforms"), path, faults)
            variants[tag] = Variant(fields=values, overrides=overrides)
    return variants


def _refuse_whole(values: Mapping[str, Any], path: str, faults: list[Fault]) -> None:
    """What is of the whole content can not be an override."""
    if values.get("fcm"):
        message = "belongs beside platforms: it has a block for each of them"
        faults.append(Fault(field=f"{path}.fcm", message=message))
    if values.get("live_activity"):
        message = "belongs beside platforms: it is for iPhones alone"
        faults.append(Fault(field=f"{path}.live_activity", message=message))


def _wrong_beside_live_activity(values: Mapping[str, Any]) -> list[Fault]:
    """What a Live Activity can not carry, and what a start can not do without."""
    activity = values.get("live_activity")
    if activity is None:
        return []
    faults = [
        Fault(
            field=f"content.{name}",
            message="can not be sent with a Live Activity: put it into its content_state",
        )
        for name in ("data", "image", "link", "collapse_key", "fcm", *APPEARANCE)
        if values.get(name)
    ]
    if activity.event is LiveEvent.START and not values.get("title"):
        message = "is missing: Apple wants an alert with what starts a Live Activity"
        faults.append(Fault(field="content.title", message=message))
    return faults
