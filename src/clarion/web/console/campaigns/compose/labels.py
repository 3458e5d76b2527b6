"""What fields of the composer and places of a push are called. Pure."""

from babel import Locale, UnknownLocaleError

from clarion.campaigns.content.spec import Content
from clarion.campaigns.content.surfaces import SURFACES, SurfaceMeters, split

PLATFORM_NAMES = {"iOS": "iPhone", "Android": "Android", "Web": "the web"}
FIELD_NAMES = {
    "name": "Name",
    "whom": "Whom",
    "audience": "Saved audience",
    "title": "Title",
    "body": "Text",
    "image": "Picture",
    "link": "Opens",
    "data": "Data",
    "ttl_hours": "Hours to try",
    "priority": "Priority",
    "collapse_key": "Collapse key",
    "fcm": "Fields of FCM",
    "sound": "Sound",
    "badge": "Badge",
    "interruption_level": "How far it may disturb",
    "silent": "Shows nothing",
    "icon": "Icon",
    "channel": "Channel",
    "color": "Colour",
    "category": "Category",
    "new_language": "Language",
    "at": "Day and time",
    "zone": "Time zone",
    "past": "Past zones",
    "freq": "Repeats",
    "until": "Last day",
    "except": "Days without it",
    "missed": "Missed",
    "spread_minutes": "Spread",
    "late_after_minutes": "Too late after",
    "not_after": "Not later than",
    "conversion_event": "Event",
    "conversion_hours": "Within hours",
    "timing": "When",
    "transactional": "Transactional",
}
_SURFACES = {surface.name: surface for surface in SURFACES}


def field_label(name: str) -> str:
    """What a field of the form is called, with where it stands: "Title, German, iPhone"."""
    language, slash, rest = name.rpartition("/")
    platform, dot, last = rest.rpartition(".")
    label = FIELD_NAMES.get(last, last)
    if platform.startswith("button"):
        label = f"Button {platform.removeprefix('button')}, {last}"
    elif dot:
        label = f"{label}, {PLATFORM_NAMES.get(platform, platform)}"
    return f"{label}, {language_name(language)}" if slash else label


def language_name(tag: str, locale: Locale | None = None) -> str:
    """A language as people call it: "German (Austria)"; a tag that has no name, as it is."""
    try:
        name = Locale.parse(tag, sep="-").get_display_name(locale or "en")
    except (ValueError, UnknownLocaleError):
        return tag
    return str(name) if name else tag


def cuts(content: Content, meters: SurfaceMeters) -> list[dict[str, object]]:
    """How much of a push's texts one place shows: as a number, and which part is seen."""
    surface = _SURFACES[meters.surface]
    labels = []
    for part, label, meter in (("title", "Title", meters.title), ("body", "Text", meters.body)):
        text = getattr(content, part) or ""
        if not text:
            continue
        room = getattr(surface, part)
        beside = surface.body_beside_picture
        if part == "body" and content.image and beside is not None:
            room = beside
        seen, cut = split(text, room) if meter.is_cut else (text, "")
        labels.append({"label": label, "meter": meter, "seen": seen, "cut": cut})
    return labels
