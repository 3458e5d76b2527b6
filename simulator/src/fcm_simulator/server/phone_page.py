"""The last pushes as they would look on a phone: `GET /simulator/`. Pure.

A page without script, that loads itself again. What an app sends is untrusted here, too: every
text is escaped, and the page's policy lets it run and load nothing but pictures over HTTPS.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from typing import Any

from fcm_simulator.fcm.registrations import System
from fcm_simulator.fcm.schema import pick

PUSHES_SHOWN = 24
REFRESH_SECONDS = 2
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_NO_COLOUR = "#5f6b7a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What one system shows of a push."""

    system: System
    title: str = ""
    subtitle: str = ""
    body: str = ""
    image: str = ""
    colour: str = _NO_COLOUR
    notes: tuple[str, ...] = ()
    """What else the system does: a badge, a sound, a channel."""

    @property
    def is_empty(self) -> bool:
        return not (self.title or self.body or self.image)


def cards(message: Mapping[str, Any], listed: System | None) -> list[Card]:
    """What is shown on the system that the registration is listed with, or on both phones.

    A push without anything to show gives none: the app alone decides what to do with its data.
    """
    if listed is None:
        shown = [_android(message), _ios(message)]
    else:
        shown = [{System.ANDROID: _android, System.IOS: _ios, System.WEB: _web}[listed](message)]
    return [card for card in shown if not card.is_empty]


def page(
    messages: Iterable[tuple[Mapping[str, Any], System | None]],
    counts: Mapping[str, Any],
    *,
    is_still: bool = False,
) -> bytes:
    """`messages`: the newest first. `is_still`: do not load again."""
    pushes = "".join(_push(message, listed) for message, listed in messages)
    refresh = "" if is_still else f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
    switch = (
        '<a href="?">Load again every two seconds</a>'
        if is_still
        else '<a href="?still=1">Hold still</a>'
    )
    replies = " · ".join(f"{escape(name)} {count}" for name, count in counts["replies"].items())
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{refresh}<title>FCM simulator</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>FCM simulator</h1><p>{replies}</p><p>{switch}</p></header>"
        f"<main>{pushes or '<p>No push yet.</p>'}</main></body></html>"
    )
    return text.encode()


def _push(message: Mapping[str, Any], listed: System | None) -> str:
    moment = datetime.fromtimestamp(message["at"], UTC)
    reached = message.get("reached")
    whom = "" if reached is None else f" · reaches {reached} registered"
    shown = "".join(map(_card, cards(message, listed)))
    data = "".join(
        f"<tr><th>{escape(str(key))}</th><td>{escape(str(value))}</td></tr>"
        for key, value in message["data"].items()
    )
    return (
        f'<article><h2>{message["number"]} · <time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">'
        f"{moment:%H:%M:%S} UTC</time> · {escape(message['project'])}</h2>"
        f'<p class="to">to <code>{escape(message["token"])}</code>{whom}</p>'
        f'<div class="phones">{shown or _NOTHING}</div>'
        f"{f'<table>{data}</table>' if data else ''}</article>"
    )


def _card(card: Card) -> str:
    name = {System.ANDROID: "Android", System.IOS: "iOS", System.WEB: "Web"}[card.system]
    shape = '<circle cx="8" cy="8" r="8"'
    if card.system is System.IOS:
        shape = '<rect width="16" height="16" rx="4"'
    image = ""
    if card.image.startswith("https://"):
        image = f'<img src="{escape(card.image)}" alt="" referrerpolicy="no-referrer">'
    return (
        f'<section class="{card.system}" aria-label="{name}"><div class="card">'
        f'<svg viewBox="0 0 16 16" aria-hidden="true">{shape} fill="{card.colour}"/></svg><div>'
        f"<h3>{escape(card.title)}</h3>"
        f"{f'<p><b>{escape(card.subtitle)}</b></p>' if card.subtitle else ''}"
        f"<p>{escape(card.body)}</p>{image}</div></div>"
        f"<small>{escape(' · '.join((name, *card.notes)))}</small></section>"
    )


def _android(message: Mapping[str, Any]) -> Card:
    block = _dict(message.get("android"))
    own = _dict(block.get("notification"))
    newer = _dict(pick(message, "androidV2", "android_v2"))
    remote = _dict(pick(newer, "remoteNotification", "remote_notification"))
    own = own or _dict(remote.get("notification"))
    base = _dict(message.get("notification"))
    colour = _text(own.get("color"))
    notes = [
        f"channel {channel}" if (channel := _text(pick(own, "channelId", "channel_id"))) else "",
        f"tag {tag}" if (tag := _text(own.get("tag"))) else "",
        f"priority {level}" if (level := _text(block.get("priority"))) else "",
    ]
    return Card(
        system=System.ANDROID,
        title=_title(own, base, "titleLocKey", "title_loc_key"),
        body=_text(own.get("body") or base.get("body")),
        image=_text(own.get("image") or base.get("image")),
        colour=colour if _COLOUR.fullmatch(colour) else _NO_COLOUR,
        notes=tuple(filter(None, notes)),
    )


def _ios(message: Mapping[str, Any]) -> Card:
    apns = _dict(message.get("apns"))
    aps = _dict(_dict(apns.get("payload")).get("aps"))
    alert = aps.get("alert")
    own = alert if isinstance(alert, dict) else {"body": alert} if alert else {}
    base = _dict(message.get("notification"))
    image = _dict(pick(apns, "fcmOptions", "fcm_options")).get("image") or base.get("image")
    badge, sound = aps.get("badge"), aps.get("sound")
    notes = [
        f"badge {badge}" if badge is not None else "",
        f"sound {sound}" if isinstance(sound, str) else "",
        "image needs mutable-content" if image and not aps.get("mutable-content") else "",
    ]
    return Card(
        system=System.IOS,
        title=_title(own, base, "title-loc-key", "title-loc-key"),
        subtitle=_text(own.get("subtitle")),
        body=_text(own.get("body") or base.get("body")),
        image=_text(image),
        notes=tuple(filter(None, notes)),
    )


def _web(message: Mapping[str, Any]) -> Card:
    webpush = _dict(message.get("webpush"))
    own, base = _dict(webpush.get("notification")), _dict(message.get("notification"))
    link = _text(_dict(pick(webpush, "fcmOptions", "fcm_options")).get("link"))
    return Card(
        system=System.WEB,
        title=_title(own, base, "", ""),
        body=_text(own.get("body") or base.get("body")),
        image=_text(own.get("image") or base.get("image")),
        notes=(f"opens {link}",) if link else (),
    )


def _title(own: Mapping[str, Any], base: Mapping[str, Any], camel: str, snake: str) -> str:
    """The title, or the key of a translation that only the app has."""
    key = _text(pick(own, camel, snake))
    return _text(own.get("title") or base.get("title")) or (f"[{key}]" if key else "")


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


_NOTHING = "<p>Data for the app: nothing is shown.</p>"
_STYLE = """
:root{color-scheme:light dark;--ink:#1a1f26;--soft:#5f6b7a;--page:#f3f4f6;--card:#fff;
--line:#d9dde3}
@media(prefers-color-scheme:dark){:root{--ink:#eef1f5;--soft:#9aa5b4;--page:#12151a;--card:#1f242c;
--line:#343b46}}
*{box-sizing:border-box;margin:0}
body{font:15px/1.4 system-ui,sans-serif;color:var(--ink);background:var(--page);padding:24px}
header,main{max-width:860px;margin:0 auto 20px}
header{display:flex;flex-wrap:wrap;gap:4px 20px;align-items:baseline;color:var(--soft)}
h1{font-size:20px;color:var(--ink)}a{color:inherit}
article{border-top:1px solid var(--line);padding:16px 0}
h2{font-size:13px;font-weight:600;color:var(--soft);font-variant-numeric:tabular-nums}
.to{font-size:13px;color:var(--soft);margin-bottom:10px;overflow-wrap:anywhere}
.phones{display:flex;flex-wrap:wrap;gap:16px}
.phones>p{color:var(--soft)}
section{width:min(400px,100%)}
section small{color:var(--soft);display:block;padding:6px 14px;overflow-wrap:anywhere}
.card{display:flex;gap:12px;background:var(--card);padding:14px;box-shadow:0 1px 3px #0003}
.android .card{border-radius:28px}.ios .card{border-radius:20px}.web .card{border-radius:6px}
.card>div{min-width:0;flex:1;overflow-wrap:anywhere}
svg{width:36px;height:36px;flex:none}
h3{font-size:15px}.card p{white-space:pre-line}
img{display:block;width:100%;max-height:180px;object-fit:cover;margin-top:8px;border-radius:10px}
table{font-size:13px;margin-top:10px;border-collapse:collapse}
th,td{text-align:left;vertical-align:top;padding:1px 14px 1px 0;overflow-wrap:anywhere}
th{font-weight:500;color:var(--soft)}
"""
POLICY = (
    "default-src 'none'; img-src https:; style-src "
    f"'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy."""
