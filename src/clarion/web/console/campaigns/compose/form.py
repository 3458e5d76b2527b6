"""The form of the composer: what was typed as the wire form of a draft, and back. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clarion.audiences.rule import Everyone, InAudience, Rule, UserIds, dump
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content.spec import Content, Priority, dump_content
from clarion.campaigns.draft import dump_draft
from clarion.customers.devices.device import Platform
from clarion.faults import Fault, Rejected

TEXTS = ("title", "body", "image", "link")
PLATFORMS = tuple(platform.value for platform in Platform)
_OVERRIDDEN = TEXTS
HOUR_SECONDS = 3_600
EVERYONE, SAVED, USER_IDS, RULE = "everyone", "saved", "user_ids", "rule"


@dataclass(frozen=True, slots=True)
class Written:
    """A draft in its wire form, and what could not even be read."""

    wire: dict[str, Any]
    faults: tuple[Fault, ...] = ()


def form_of(campaign: Campaign) -> dict[str, str]:
    """The fields as they stand in the form."""
    base = campaign.content.base
    fields = {
        "name": campaign.name,
        "spread_minutes": str(campaign.spread_minutes),
        **{name: getattr(base, name) or "" for name in TEXTS},
        "data": "\n".join(f"{key} = {value}" for key, value in base.data.items()),
        "ttl_hours": _plain(base.ttl_seconds / HOUR_SECONDS),
        "priority": base.priority.value,
        "collapse_key": base.collapse_key or "",
        "fcm": json.dumps(dict(base.fcm), indent=2, ensure_ascii=False) if base.fcm else "",
    }
    for platform, override in campaign.content.overrides.items():
        for name in _OVERRIDDEN:
            if override.get(name) is not None:
                fields[f"{platform.value}.{name}"] = str(override[name])
    return fields | _audience_fields(campaign.audience)


def empty_form() -> dict[str, str]:
    """A new campaign."""
    content = Content()
    return {
        "whom": EVERYONE,
        "spread_minutes": "0",
        "ttl_hours": _plain(content.ttl_seconds / HOUR_SECONDS),
        "priority": content.priority.value,
    }


def written(form: Mapping[str, str], before: Campaign | None = None) -> Written:
    """What the form says. `before`: the campaign that it changes; what the form does not show of
    it stays."""
    faults: list[Fault] = []
    content: dict[str, Any] = {} if before is None else dump_content(before.content)
    for name in TEXTS:
        content[name] = form.get(name, "").strip() or None
    content["data"] = _read_data(form.get("data", ""), faults)
    content["ttl_seconds"] = _read_hours(form.get("ttl_hours", ""), faults)
    content["priority"] = form.get("priority") or Priority.HIGH.value
    content["collapse_key"] = form.get("collapse_key", "").strip() or None
    fcm = _read_json(form.get("fcm", ""), "content.fcm", faults)
    content.pop("fcm", None)
    if fcm:
        content["fcm"] = fcm
    overrides = {name: dict(values) for name, values in dict(content.pop("platforms", {})).items()}
    for platform in PLATFORMS:
        override = overrides.setdefault(platform, {})
        for name in _OVERRIDDEN:
            text = form.get(f"{platform}.{name}", "").strip()
            override.pop(name, None)
            if text:
                override[name] = text
        if not override:
            del overrides[platform]
    if overrides:
        content["platforms"] = overrides
    wire = ({} if before is None else dump_draft(before)) | {
        "name": form.get("name", ""),
        "content": content,
        "audience": _read_audience(form, faults),
        "spread_minutes": _read_number(form.get("spread_minutes", "0")),
    }
    return Written(wire, tuple(faults))


def with_faults(written_form: Written, rejected: Rejected | None) -> Rejected | None:
    """All that is wrong, with the fields named as in the form."""
    faults = [*written_form.faults, *(() if rejected is None else rejected.faults)]
    if not faults:
        return rejected
    told: dict[str, Fault] = {}
    for fault in faults:
        name = field_of(fault.field)
        told.setdefault(name, replace(fault, field=name))
    code = "invalid_campaign" if rejected is None else rejected.code
    return Rejected(code, "Something in it is not right.", tuple(told.values()))


def field_of(path: str) -> str:
    """The field of the form in which what a path of the wire form names is typed."""
    first, _, rest = path.partition(".")
    if first == "audience":
        return "whom"
    if first != "content":
        return first
    if rest.startswith("platforms."):
        platform, _, name = rest.removeprefix("platforms.").partition(".")
        return f"{platform}.{name}"
    name = rest.partition(".")[0].partition("[")[0]
    return {"ttl_seconds": "ttl_hours", "": "title"}.get(name, name)


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
        return _read_json(form.get("rule", ""), "audience", faults) or {"everyone": True}
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
    return int(text) if text.strip().isdecimal() else text


def _lines(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
