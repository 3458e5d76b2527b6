"""A campaign as a person writes it on the command line or in a file, checked whole."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from clarion.cli.output import Ending, ExitCode, refused

CONTENT_FIELDS = (
    "title", "body", "image", "link", "data", "ttl_seconds", "priority", "collapse_key", "sound",
    "badge", "channel", "color", "interruption_level",
)  # fmt: skip

Several = Annotated[list[str] | None, Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags a campaign is written with. Flags win over the file.

    Parameters
    ----------
    file
        A JSON file in the API's form: name, content, audience.
    title
        The push's title.
    body
        Its text.
    image
        An image's address.
    link
        Where a tap leads.
    data
        KEY=VALUE for the app; may be given several times.
    ttl_seconds
        How long FCM tries, 0 to 2419200.
    priority
        normal or high.
    collapse_key
        Pushes with the same key replace each other while they wait.
    sound
        A sound of the app, default, or none. Not in browsers.
    badge
        The number on the app's icon.
    channel
        Android's notification channel.
    color
        Android's accent colour, such as #1a73e8.
    interruption_level
        passive, active, time-sensitive or critical.
    button
        TITLE=LINK, or TITLE alone, which opens the app; up to three.
    platform
        PLATFORM.FIELD=VALUE, such as Web.link=https://shop.example; several.
    language
        TAG.FIELD=TEXT, such as de.title=Hallo: what a language says differently; several.
    everyone
        To everybody with a registered device.
    user_id
        To this customer; may be given several times.
    trait
        To customers whose trait equals: NAME=VALUE, a JSON value or a text; several: all of them.
    audience_code
        To a saved audience, by its code.
    spread_minutes
        Spread the launch evenly over so long, up to a day.
    late_after_minutes
        A launch that is so late waits for a person.
    conversion_event
        Count the customers who then do this track event; with --conversion-hours.
    conversion_hours
        How many hours after the push they may do it, 720 at most.
    category
        A category that customers can leave, such as news; "" takes it away.
    transactional
        Exempt from frequency caps and quiet hours.
    code
        What pushes to one customer name it by, such as order-sent.
    """

    file: Path | None = None
    title: str | None = None
    body: str | None = None
    image: str | None = None
    link: str | None = None
    data: Several = None
    ttl_seconds: int | None = None
    priority: str | None = None
    collapse_key: str | None = None
    sound: str | None = None
    badge: int | None = None
    channel: str | None = None
    color: str | None = None
    interruption_level: str | None = None
    button: Several = None
    platform: Several = None
    language: Several = None
    everyone: Annotated[bool, Parameter(negative="")] = False
    user_id: Several = None
    trait: Several = None
    audience_code: Annotated[str | None, Parameter(name="--audience")] = None
    spread_minutes: int | None = None
    late_after_minutes: int | None = None
    conversion_event: str | None = None
    conversion_hours: int | None = None
    category: str | None = None
    transactional: bool | None = None
    code: str | None = None

    def content(self) -> dict[str, Any]:
        """The content fields that were given."""
        given = {name: getattr(self, name) for name in CONTENT_FIELDS}
        if self.data:
            given["data"] = dict(parse_pair(text, "--data") for text in self.data)
        if self.button:
            pairs = (text.partition("=") for text in self.button)
            given["buttons"] = [
                {"title": title} | ({"link": link} if link else {}) for title, _, link in pairs
            ]
        return {name: value for name, value in given.items() if value is not None}

    def within(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """What was given for single platforms and languages, in the content that they change."""
        changed: dict[str, Any] = {}
        if self.platform:
            platforms = content.get("platforms") or {}
            changed["platforms"] = _changed(platforms, self.platform, "--platform")
        if self.language:
            languages = content.get("languages") or {}
            changed["languages"] = _changed(languages, self.language, "--language")
        return changed

    def audience(self) -> dict[str, Any] | None:
        """The audience that was given."""
        audience: dict[str, Any] = {}
        if self.everyone:
            audience["everyone"] = True
        if self.user_id:
            audience["user_ids"] = self.user_id
        if self.trait:
            pairs = (parse_pair(text, "--trait") for text in self.trait)
            audience["traits"] = {name: parse_value(value) for name, value in pairs}
        if self.audience_code is not None:
            audience["audience"] = self.audience_code
        return audience or None


@contextmanager
def flags_named(wire: Mapping[str, Any]) -> Iterator[None]:
    """Where the API says that the audience is missing, the flags that give one are named."""
    try:
        yield
    except Ending as ending:
        if "audience" not in wire:
            cure = ("audience", "is missing: give --everyone, --user-id, --trait or --audience")
            ending.faults = [cure if fault[0] == "audience" else fault for fault in ending.faults]
        raise


def read_change(name: str | None, flags: Flags, content: Mapping[str, Any]) -> dict[str, Any]:
    """What a file and flags say of a campaign, unchecked. A file's content is whole; flags change
    single fields of it, or else of `content`."""
    wire = {} if flags.file is None else _read(flags.file)
    given = flags.content()
    base = wire.get("content", content)
    if given and isinstance(base, Mapping):
        wire["content"] = {**base, **given}
    content = wire.get("content", base)
    if isinstance(content, Mapping) and (within := flags.within(content)):
        wire["content"] = {**content, **within}
    audience = flags.audience()
    if name is not None:
        wire["name"] = name
    if audience is not None:
        wire["audience"] = audience
    if flags.spread_minutes is not None:
        wire["spread_minutes"] = flags.spread_minutes
    if flags.late_after_minutes is not None:
        wire["late_after_minutes"] = flags.late_after_minutes
    conversion = {"event": flags.conversion_event, "within_hours": flags.conversion_hours}
    given_conversion = {name: value for name, value in conversion.items() if value is not None}
    if given_conversion:
        wire["conversion"] = given_conversion
    if flags.category is not None:
        wire["category"] = flags.category or None
    if flags.transactional is not None:
        wire["transactional"] = flags.transactional
    if flags.code is not None:
        wire["code"] = flags.code
    return wire


def _changed(parts: Mapping[str, Any], given: Sequence[str], flag: str) -> dict[str, Any]:
    """Platforms or languages of a content with single fields of them changed."""
    changed = dict(parts)
    for text in given:
        path, value = parse_pair(text, flag)
        name, dot, field = path.partition(".")
        if not dot or not name or not field:
            example = "Web.title=Hello" if flag == "--platform" else "de.title=Hallo"
            message = f"{flag} takes NAME.FIELD=VALUE, such as {example}, not {text!r}."
            raise Ending(ExitCode.USAGE, message, word="usage")
        is_text = field in ("title", "body", "link", "image", "icon", "sound", "channel")
        changed[name] = {**changed.get(name, {}), field: value if is_text else parse_value(value)}
    return changed


def parse_pair(text: str, flag: str) -> tuple[str, str]:
    """NAME=VALUE, in two. Ends the command where that is not what was given."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise Ending(ExitCode.USAGE, f"{flag} takes NAME=VALUE, not {text!r}.", word="usage")
    return name, value


def parse_value(text: str) -> Any:
    """true, 5, null and the like are JSON; what is not is a text. Quoted, it is a text too."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _read(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise Ending(ExitCode.NOT_FOUND, f"There is no file {file}.") from None
    except (OSError, msgspec.DecodeError) as error:
        raise refused(f"{file} holds no campaign: {error}") from error
