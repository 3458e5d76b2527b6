"""What is not refused in a content, but may not be meant. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from clarion.campaigns.content.spec import Content, ContentSpec
from clarion.customers.devices.device import Platform

WEB_BUTTONS_SHOWN = 2
"""Of `actions`, by most browsers (`Notification.maxActions`)."""


@dataclass(frozen=True, slots=True)
class Advice:
    """`code` is for programs; `message` follows the field's name."""

    code: str
    field: str
    message: str


def advise(spec: ContentSpec) -> list[Advice]:
    """All that its author should be told of a content itself, each once."""
    advice = [*_languages(spec)]
    for platform, _, content in spec.all_contents():
        advice += _platform(content, platform)
    return list(dict.fromkeys(advice))


def _languages(spec: ContentSpec) -> Iterator[Advice]:
    """Texts of the default that a language leaves as they are: two languages in one push."""
    for tag in spec.variants:
        for platform in Platform:
            default = spec.for_platform(platform)
            own = spec.for_platform(platform, tag)
            for name in ("title", "body"):
                text = getattr(default, name)
                other = "body" if name == "title" else "title"
                is_kept = text and getattr(own, name) == text
                if is_kept and getattr(own, other) != getattr(default, other):
                    message = f"leaves out {name}: who reads it sees the default's"
                    yield Advice("language_incomplete", f"content.languages.{tag}", message)


def _platform(content: Content, platform: Platform) -> Iterator[Advice]:
    if content.is_silent:
        return
    if platform is Platform.WEB and content.link and not _may_be_https(content.link):
        message = "does not begin with https://: a tap in a browser leads nowhere by itself"
        yield Advice("link_not_https", "content.platforms.Web.link", message)
    if platform is Platform.WEB and len(content.buttons) > WEB_BUTTONS_SHOWN:
        message = f"are more than {WEB_BUTTONS_SHOWN}: most browsers leave out the rest"
        yield Advice("buttons_not_shown", "content.platforms.Web.buttons", message)
    if platform is Platform.IOS and content.image and not _may_be_https(content.image):
        message = "does not begin with https://: iPhones do not load it"
        yield Advice("image_not_https", "content.image", message)


def _may_be_https(address: str) -> bool:
    """Whether it is, or may be once it is rendered."""
    return address[:8].lower() == "https://" or address.lstrip().startswith(("{{", "{%"))
