"""What the simulated FCM does with a message, and what it remembers. No I/O.

A token's (or installation id's) beginning says what becomes of it; every other one is registered:

    dead-        404 UNREGISTERED                malformed-   400, not a valid token
    apns-dead-   400, APNs says it is dead       apns-bad-    400, APNs BadDeviceToken
    mismatch-    403 SenderId mismatch           authless-    401 THIRD_PARTY_AUTH_ERROR
    payload-     400, the message is too big     denied-      403, IAM
    quota-once-  429 with Retry-After, then 200  quota-device-once-  the same, the device's quota
    flaky-       503 once, then 200              gone-once-   200 once, then 404 UNREGISTERED
    internal-once-, html-once-   500, 502 with a page of HTML, then 200
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from time import time
from typing import Any, assert_never

import msgspec

from clarion.simulator import answers
from clarion.simulator.answers import Manner, Reply
from clarion.simulator.limits import refuse
from clarion.simulator.schema import BASIC, TARGETS, Schema
from clarion.simulator.trouble import Faults, Trouble

MESSAGES_KEPT = 20_000
PUSH_KEY = "clarion_push"
_SHOWN = ("notification", "data", "android", "android_v2", "androidV2", "apns", "webpush")


@dataclass
class Fcm:
    """One simulated FCM for any number of projects."""

    schema: Schema = BASIC
    replies: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    accepted_keys: Counter[str] = field(default_factory=Counter)
    """How often each push (`data.clarion_push`) was accepted."""
    accepted_tokens: Counter[str] = field(default_factory=Counter)
    messages: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MESSAGES_KEPT))
    faults: Faults = field(default_factory=Faults)
    first_at: float = 0.0
    last_at: float = 0.0
    _seen: Counter[str] = field(default_factory=Counter)
    _numbers: Any = field(default_factory=lambda: count(1))

    def send(self, project: str, body: bytes) -> Reply:
        """Answer `messages:send` for a caller who may."""
        reply = self._answer(project, body, time())
        self.replies[reply.name] += 1
        return reply

    def refuse(self, reply: Reply) -> Reply:
        """Count a request that did not get so far."""
        self.replies[reply.name] += 1
        return reply

    def stats(self) -> dict[str, Any]:
        """Counts to hold a sender's books against."""
        return {
            "requests": self.replies.total(),
            "replies": dict(self.replies),
            "accepted": self.accepted,
            "distinct_pushes": len(self.accepted_keys),
            "repeated_pushes": sum(times - 1 for times in self.accepted_keys.values()),
            "distinct_tokens": len(self.accepted_tokens),
            "seconds": round(self.last_at - self.first_at, 3),
            "schema": "full" if self.schema.is_full else "basic",
        }

    def _answer(self, project: str, body: bytes, now: float) -> Reply:
        try:
            request = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return answers.invalid_json(("", "Invalid JSON payload received. Unexpected token."))
        violations = self.schema.violations(request)
        if violations:
            return answers.invalid_json(*((one.field, one.description) for one in violations))
        message: Mapping[str, Any] = request.get("message") or {}
        reply = self._in_trouble(project, request, message, now)
        delay = self.faults.delay()
        return replace(reply, delay=reply.delay + delay) if delay else reply

    def _in_trouble(
        self, project: str, request: Mapping[str, Any], message: Mapping[str, Any], now: float
    ) -> Reply:
        wait = self.faults.over_quota(project, now)
        if wait:
            return answers.quota_exceeded(f"project:{project}", int(wait) + 1)
        trouble = self.faults.next(now)
        match trouble:
            case Trouble.OK:
                return self._judge(project, request, message, now)
            case Trouble.THROTTLED:
                return answers.quota_exceeded(f"project:{project}", self.faults.retry_after or None)
            case Trouble.INTERNAL:
                return answers.internal()
            case Trouble.UNAVAILABLE:
                return answers.unavailable()
            case Trouble.HTML:
                return answers.bad_gateway()
            case Trouble.SLOW:
                reply = self._judge(project, request, message, now)
                return replace(reply, delay=self.faults.slow_seconds)
            case Trouble.HANG:
                return Reply(0, b"", name=trouble, manner=Manner.NEVER)
            case Trouble.RESET:
                return Reply(0, b"", name=trouble, manner=Manner.CUT)
            case Trouble.SILENCE | Trouble.LOST:
                manner = Manner.NEVER if trouble is Trouble.SILENCE else Manner.CUT
                reply = self._judge(project, request, message, now)
                return replace(reply, manner=manner, name=f"{reply.name}, {trouble}")
            case _:
                assert_never(trouble)

    def _judge(
        self, project: str, request: Mapping[str, Any], message: Mapping[str, Any], now: float
    ) -> Reply:
        refused = refuse(message)
        if refused is not None:
            return refused
        target = next(message[name] for name in TARGETS if message.get(name) is not None)
        if self.faults.over_device_quota(target, now):
            return answers.quota_exceeded(
                "device", self.faults.retry_after or None, "Device message rate exceeded"
            )
        if not message.get("topic") and not message.get("condition"):
            refused = self._by_token(project, target)
            if refused is not None:
                return refused
        if _is_true(request.get("validate_only")) or _is_true(request.get("validateOnly")):
            name = f"projects/{project}/messages/fake_message_id"
            return replace(answers.accepted(name), name="validated")
        return self._accept(project, target, message, now)

    def _by_token(self, project: str, token: str) -> Reply | None:
        if not token:
            return answers.malformed_token()
        kind = token.split("-", 1)[0]
        if kind not in _KINDS:
            return None
        for start, reply in _ALWAYS.items():
            if token.startswith(start):
                return reply()
        if token.startswith("denied-"):
            return answers.permission_denied(project)
        if not token.startswith(_ONCE):
            return None
        self._seen[token] += 1
        first = self._seen[token] == 1
        if kind == "gone":
            return None if first else answers.unregistered()
        if not first:
            return None
        match kind:
            case "flaky":
                return answers.unavailable()
            case "internal":
                return answers.internal()
            case "html":
                return answers.bad_gateway()
        if token.startswith("quota-device-"):
            return answers.quota_exceeded(
                "device", self.faults.retry_after or None, "Device message rate exceeded"
            )
        return answers.quota_exceeded(f"project:{project}", self.faults.retry_after or None)

    def _accept(self, project: str, target: str, message: Mapping[str, Any], now: float) -> Reply:
        self.first_at = self.first_at or now
        self.last_at = now
        self.accepted += 1
        data = message.get("data") or {}
        self.accepted_keys[data.get(PUSH_KEY, target)] += 1
        self.accepted_tokens[target] += 1
        number = next(self._numbers)
        name = f"projects/{project}/messages/0:{int(now * 1e6)}%{number:08x}"
        kept = {"number": number, "name": name, "project": project, "at": now, "token": target}
        for part in _SHOWN:
            kept[part] = message.get(part)
        kept["data"] = data
        self.messages.append(kept)
        return answers.accepted(name)


def _is_true(value: Any) -> bool:
    return value is True or value == "true"


_ALWAYS: dict[str, Callable[[], Reply]] = {
    "dead-": answers.unregistered,
    "malformed-": answers.malformed_token,
    "apns-dead-": answers.apns_token_disabled,
    "apns-bad-": answers.apns_bad_token,
    "mismatch-": answers.sender_mismatch,
    "payload-": answers.too_big,
    "authless-": answers.third_party_auth,
}
_ONCE = (
    "quota-once-",
    "quota-device-once-",
    "flaky-",
    "gone-once-",
    "internal-once-",
    "html-once-",
)
_KINDS = frozenset(start.split("-", 1)[0] for start in (*_ALWAYS, *_ONCE, "denied-"))
