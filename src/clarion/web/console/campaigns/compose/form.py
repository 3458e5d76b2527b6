"""The form of the composer: what was typed as the wire form of a draft, and back. Pure.

Fields of a content are named by where they stand: `title`, `iOS.title`, `de/title`, and
`de/iOS.title` for what German says on iPhones. Languages and buttons follow that order.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clarion.audiences.rule import Everyone, InAudience, Rule, UserIds, dump
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content.appearance import BUTTONS_MAX
from clarion.campaigns.content.language import language_tag
from clarion.campaigns.content.spec import Content, Priority, dump_content
from clarion.campaigns.draft import dump_draft
from clarion.customers.devices.device import Platform
from clarion.faults import Fault, Rejected
from clarion.web.console.amount import whole
from clarion.web.console.campaigns.compose.timing import (
    lateness_form,
    timing_field,
    timing_form,
    written_lateness,
    written_timing,
)

TEXTS = ("title", "body", "image", "link")
PLATFORMS = tuple(platform.value for platform in Platform)
LOOKS = ("sound", "badge", "interruption_level")
"""How a push looks and sounds on every platform that has it."""
LOOKS_ON: Mapping[str, Sequence[str]] = {
    Platform.IOS.value: ("category",),
    Platform.ANDROID.value: ("icon", "channel", "color"),
    Platform.WEB.value: ("icon", "badge"),
}
"""The same, of what only that platform has, or has in its own way."""
_OF_ONE = (("iOS", "category"), ("Android", "channel"), ("Android", "color"))
"""What is said for all platforms, too, though one alone has it."""
HOUR_SECONDS = 3_600
EVERYONE, SAVED, USER_IDS, RULE = "everyone", "saved", "user_ids", "rule"


@dataclass(frozen=True, slots=True)
class Written:
    """A draft in its wire form, and what could not even be read."""

    wire: dict[str, Any]
    faults: tuple[Fault, ...] = ()


def form_of(campaign: Campaign, zone: str) -> dict[str, str]:
    """The fields as they stand in the form. `zone`: of a time that names none."""
    wire = dump_content(campaign.content)
    languages = wire.pop("languages", {})
    fields = {
        "name": campaign.name,
        "spread_minutes": str(campaign.spread_minutes),
        "data": "\n".join(f"{key} = {value}" for key, value in wire["data"].items()),
        "ttl_hours": _plain(wire["ttl_seconds"] / HOUR_SECONDS),
        "priority": wire["priority"],
        "collapse_key": wire["collapse_key"] or "",
        "fcm": json.dumps(wire["fcm"], indent=2, ensure_ascii=False) if "fcm" in wire else "",
        "category": campaign.category or "",
        "languages": ",".join(languages),
        **_layer_form(wire, ""),
    }
    for tag, language in languages.items():
        fields |= _layer_form(language, f"{tag}/")
    if wire.get("silent"):
        fields["silent"] = "1"
    if campaign.is_transactional:
        fields["transactional"] = "1"
    if campaign.conversion is not None:
        fields["conversion_event"] = campaign.conversion.event
        fields["conversion_hours"] = str(campaign.conversion.within_hours)
    fields |= lateness_form(campaign.late_after_minutes, campaign.timing, zone)
    return fields | timing_form(campaign.timing, zone) | _audience_fields(campaign.audience)


def empty_form(zone: str) -> dict[str, str]:
    """A new campaign."""
    content = Content()
    return {
        "whom": EVERYONE,
        "spread_minutes": "0",
        "ttl_hours": _plain(content.ttl_seconds / HOUR_SECONDS),
        "priority": content.priority.value,
        **timing_form(None, zone),
    }


def languages_in(form: Mapping[str, str]) -> list[str]:
    """The tags of the languages that the form has, in their order."""
    tags = [language_tag(tag) or "" for tag in form.get("languages", "").split(",") if tag]
    removed = form.get("remove_language", "")
    return [tag for tag in dict.fromkeys(tags) if tag and tag != removed]


def with_language(form: Mapping[str, str]) -> tuple[dict[str, str], Fault | None]:
    """The form with the language that is to be added to it, or taken from it."""
    tags = languages_in(form)
    wanted = form.get("new_language", "").strip()
    fault = None
    if "add_language" in form:
        tag = language_tag(wanted)
        if tag is None:
            fault = Fault("new_language", "must be a language tag, such as de, de-AT or zh-Hant")
        elif tag not in tags:
            tags.append(tag)
    kept = {name: value for name, value in form.items() if name != "new_language" or fault}
    return {**kept, "languages": ",".join(tags)}, fault


def written(form: Mapping[str, str], before: Campaign | None = None) -> Written:
    """What the form says. `before`: the campaign that it changes; what the form does not show of
    it stays."""
    faults: list[Fault] = []
    kept: dict[str, Any] = {} if before is None else dump_content(before.content)
    languages = kept.pop("languages", {})
    content = _read_layer(form, "", kept)
    content |= {name: content.get(name) for name in (*TEXTS, "collapse_key")}
    content["data"] = _read_data(form.get("data", ""), faults)
    content["ttl_seconds"] = _read_hours(form.get("ttl_hours", ""), faults)
    content["priority"] = form.get("priority") or Priority.HIGH.value
    content["collapse_key"] = form.get("collapse_key", "").strip() or None
    content.pop("silent", None)
    if form.get("silent"):
        content["silent"] = True
    fcm = _read_json(form.get("fcm", ""), "content.fcm", faults)
    content.pop("fcm", None)
    if fcm:
        content["fcm"] = fcm
    said = {tag: _read_layer(form, f"{tag}/", languages.get(tag, {})) for tag in languages_in(form)}
    if said:
        content["languages"] = said
    late = written_lateness(form)
    if isinstance(late, Fault):
        faults.append(late)
    wire = ({} if before is None else dump_draft(before)) | {
        "name": form.get("name", ""),
        "content": content,
        "audience": _read_audience(form, faults),
        "spread_minutes": _read_number(form.get("spread_minutes", "0")),
        "late_after_minutes": None if isinstance(late, Fault) else late,
        "category": form.get("category", "").strip() or None,
        "transactional": bool(form.get("transactional")),
        "conversion": _read_conversion(form),
        "timing": written_timing(form),
    }
    return Written(wire, tuple(faults))


def with_faults(written_form: Written, rejected: Rejected | None) -> Rejected | None:
    """All that is wrong, with the fields named as in the form."""
    faults = [*written_form.faults, *(() if rejected is None else rejected.faults)]
    if not faults:
        return rejected
    fault_by_field: dict[str, Fault] = {}
    for fault in faults:
        name = field_of(fault.field)
        fault_by_field.setdefault(name, replace(fault, field=name))
    code = "invalid_campaign" if rejected is None else rejected.code
    return Rejected(code, "Something in it is not right.", tuple(fault_by_field.values()))


def field_of(path: str) -> str:
    """The field of the form in which what a path of the wire form names is typed."""
    first, _, rest = path.partition(".")
    if first in ("timing", "at", "zone", "own_time", "repeat"):
        return timing_field(path)
    if first == "audience":
        return "whom"
    if first == "conversion":
        return {"event": "conversion_event"}.get(rest, "conversion_hours")
    if first != "content":
        return first
    prefix = ""
    for folder, mark in (("languages.", "/"), ("platforms.", ".")):
        if rest.startswith(folder):
            name, _, rest = rest.removeprefix(folder).partition(".")
            prefix += name + mark
    if rest.startswith("buttons["):
        number, _, name = rest.removeprefix("buttons[").partition("]")
        return f"{prefix}button{int(number) + 1}{name or '.title'}"
    name = rest.partition(".")[0].partition("[")[0] or "title"
    return prefix + {"ttl_seconds": "ttl_hours", "buttons": "button1.title"}.get(name, name)


def _layer_form(wire: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """The fields of what is said for all, or in a language, and of its platforms."""
    fields = {
        prefix + name: str(wire[name]) for name in (*TEXTS, *LOOKS) if wire.get(name) is not None
    }
    for number, button in enumerate(wire.get("buttons", ()), 1):
        for name, text in button.items():
            fields[f"{prefix}button{number}.{name}"] = text
    for platform, override in wire.get("platforms", {}).items():
        for name in (*TEXTS, *LOOKS_ON[platform]):
            if override.get(name) is not None:
                fields[f"{prefix}{platform}.{name}"] = str(override[name])
    for platform, name in _OF_ONE:
        if not prefix and wire.get(name):
            fields.setdefault(f"{platform}.{name}", str(wire[name]))
    return fields


def _read_layer(form: Mapping[str, str], prefix: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The same, back. What is kept of `kept` is what the form does not show."""
    layer = _read_fields(form, prefix, (*TEXTS, *LOOKS), kept)
    if "badge" in layer:
        layer["badge"] = _read_number(str(layer["badge"]))
    layer.pop("buttons", None)
    buttons = _read_buttons(form, prefix)
    if buttons:
        layer["buttons"] = buttons
    platforms = dict(layer.pop("platforms", {}))
    for platform in PLATFORMS:
        names = (*TEXTS, *LOOKS_ON[platform])
        override = _read_fields(form, f"{prefix}{platform}.", names, platforms.get(platform, {}))
        platforms[platform] = override
    for platform, name in _OF_ONE:
        if not prefix and name in layer:  # it stays where it was said, unless another is said
            if platforms[platform].get(name) == layer[name]:
                del platforms[platform][name]
            else:
                del layer[name]
    said = {platform: override for platform, override in platforms.items() if override}
    return layer | ({"platforms": said} if said else {})


def _read_fields(
    form: Mapping[str, str], prefix: str, names: Sequence[str], kept: Mapping[str, Any]
) -> dict[str, Any]:
    values = {name: value for name, value in kept.items() if name not in names}
    for name in names:
        text = form.get(prefix + name, "").strip()
        if text:
            values[name] = text
    return values


def _read_buttons(form: Mapping[str, str], prefix: str) -> list[dict[str, str]]:
    """Up to the last row in which anything stands."""
    rows = []
    for number in range(1, BUTTONS_MAX + 1):
        row = f"{prefix}button{number}."
        link = form.get(f"{row}link", "").strip()
        title = form.get(f"{row}title", "").strip()
        rows.append({"title": title} | ({"link": link} if link else {}))
    while rows and rows[-1] == {"title": ""}:
        rows.pop()
    return rows


def _read_conversion(form: Mapping[str, str]) -> dict[str, Any] | None:
    event = form.get("conversion_event", "").strip()
    if not event:
        return None
    return {"event": event, "within_hours": _read_number(form.get("conversion_hours") or "24")}


def _audience_fields(rule: Rule) -> dict[str, str]:
    match rule:
        case Everyone():
            return {"whom": EVERYONE}
        case InAudience(code=code):
            return {"whom": SAVED, "audience": code}
        case UserIds(user_ids=user_ids):
            return {"whom": USER_IDS, "user_ids": "\n".join(user_ids)}
        case _:
            return {"whom": RULE, "rule": json.dumps(dump(rule), indent=2, ensure_ascii=False)}


def _read_audience(form: Mapping[str, str], faults: list[Fault]) -> Any:
    whom = form.get("whom", EVERYONE)
    if whom == SAVED:
        code = form.get("audience", "")
        if not code:
            faults.append(Fault("audience", "is not chosen: choose one, or another way to say who"))
        return {"audience": code} if code else {"everyone": True}
    if whom == USER_IDS:
        return {"user_ids": _lines(form.get("user_ids", ""))}
    if whom == RULE:
        already = len(faults)
        rule = _read_json(form.get("rule", ""), "audience", faults)
        if not rule and len(faults) == already:
            faults.append(Fault("audience", "is empty: write a rule, or say another way who"))
        return rule or {"everyone": True}  # only beside a fault: nobody is added by a mistake
    if whom != EVERYONE:
        faults.append(Fault("audience", "is not chosen: say who gets it"))
    return {"everyone": True}


def _read_json(text: str, field: str, faults: list[Fault]) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        faults.append(Fault(field, f"is no JSON{where}: look at quotes, commas and brackets"))
        return None


def _read_data(text: str, faults: list[Fault]) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in _lines(text):
        key, mark, value = line.partition("=")
        if not mark:
            faults.append(Fault("content.data", "must be lines such as screen = offers"))
            break
        values[key.strip()] = value.strip()
    return values


def _read_hours(text: str, faults: list[Fault]) -> int:
    try:
        return round(float(text.replace(",", ".")) * HOUR_SECONDS)
    except (ValueError, OverflowError):
        faults.append(Fault("content.ttl_seconds", "must be a number of hours, such as 72"))
        return 0


def _read_number(text: str) -> int | str:
    """A whole number; what is none is left as it is, for the draft to say so."""
    number = whole(text)
    return text if number is None else number


def _lines(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
