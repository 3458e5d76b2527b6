"""A campaign as a person writes it on the command line or in a file, checked whole."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from clarion.cli.output import Ending, ExitCode, refused

CONTENT_FIELDS = (
    "title", "body", "image", "link", "data", "ttl_seconds", "priority", "collapse_key",
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
    everyone: Annotated[bool, Parameter(negative="")] = False
    user_id: Several = None
    trait: Several = None
    audience_code: Annotated[str | None, Parameter(name="--audience")] = None
    spread_minutes: int | None = None
    code: str | None = None

    def content(self) -> dict[str, Any]:
        """The content fields that were given."""
        given = {name: getattr(self, name) for name in CONTENT_FIELDS}
        if self.data:
            given["data"] = dict(parse_pair(text, "--data") for text in self.data)
        return {name: value for name, value in given.items() if value is not None}

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
    audience = flags.audience()
    if name is not None:
        wire["name"] = name
    if audience is not None:
        wire["audience"] = audience
    if flags.spread_minutes is not None:
        wire["spread_minutes"] = flags.spread_minutes
    if flags.code is not None:
        wire["code"] = flags.code
    return wire


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
