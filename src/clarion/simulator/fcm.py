"""What the simulated FCM does with a message, and what it remembers. No I/O.

A token's beginning says what becomes of it; every other token is registered:

    dead-        404 UNREGISTERED                malformed-   400, not a valid token
    apns-dead-   400, APNs says it is dead       mismatch-    403 SenderId mismatch
    payload-     400, the message is too big     authless-    401 THIRD_PARTY_AUTH_ERROR
    quota-once-  429 with Retry-After, then 200  flaky-       503 once, then 200
    gone-once-   200 once, then 404 UNREGISTERED
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from time import time
from typing import Any

import msgspec

from clarion.simulator import answers
from clarion.simulator.answers import Reply

MESSAGES_KEPT = 20_000
PUSH_KEY = "clarion_push"
RETRY_AFTER_SECONDS = 10

_TARGETS = ("token", "fid", "topic", "condition")


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    token: str | None = None
    fid: str | None = None
    topic: str | None = None
    condition: str | None = None
    name: str | None = None
    data: dict[str, str] | None = None
    notification: dict[str, Any] | None = None
    android: dict[str, Any] | None = None
    android_v2: dict[str, Any] | None = None
    androidV2: dict[str, Any] | None = None
    apns: dict[str, Any] | None = None
    webpush: dict[str, Any] | None = None
    fcm_options: dict[str, Any] | None = None
    fcmOptions: dict[str, Any] | None = None


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    message: _Message
    validate_only: bool = False
    validateOnly: bool = False


_decoder = msgspec.json.Decoder(_Request)


@dataclass
class Faults:
    """Trouble that was asked for (`POST /simulator/faults`)."""

    outage_until: float = 0.0
    throttle_next: int = 0
    retry_after: int = RETRY_AFTER_SECONDS
    latency_seconds: float = 0.0


@dataclass
class Fcm:
    """One simulated FCM for any number of projects."""

    replies: Counter[str] = field(default_factory=Counter)
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
        reply = self._answer(project, body)
        self.replies[reply.name] += 1
        return reply

    def stats(self) -> dict[str, Any]:
        """Counts to hold a sender's books against."""
        return {
            "requests": self.replies.total(),
            "replies": dict(self.replies),
            "accepted": self.replies["accepted"],
            "distinct_pushes": len(self.accepted_keys),
            "repeated_pushes": sum(times - 1 for times in self.accepted_keys.values()),
            "distinct_tokens": len(self.accepted_tokens),
            "seconds": round(self.last_at - self.first_at, 3),
        }

    def plan_faults(self, wire: Mapping[str, Any]) -> None:
        """`outage_seconds`, `throttle_next` (with `retry_after`), `latency_ms`; any together."""
        if "outage_seconds" in wire:
            self.faults.outage_until = time() + float(wire["outage_seconds"])
        if "throttle_next" in wire:
            self.faults.throttle_next = int(wire["throttle_next"])
            self.faults.retry_after = int(wire.get("retry_after", RETRY_AFTER_SECONDS))
        if "latency_ms" in wire:
            self.faults.latency_seconds = float(wire["latency_ms"]) / 1000

    def _answer(self, project: str, body: bytes) -> Reply:
        try:
            request = _decoder.decode(body)
        except msgspec.ValidationError as error:
            return answers.invalid_json(f"Invalid JSON payload received. {error}")
        except msgspec.DecodeError:
            return answers.invalid_json("Invalid JSON payload received. Unexpected token.", "")
        message = request.message
        targets = [name for name in _TARGETS if getattr(message, name) is not None]
        if not targets:
            return answers.no_target()
        if len(targets) > 1:
            return answers.invalid_json(
                f"Invalid value at 'message' (oneof), oneof field 'target' is already set. "
                f"Cannot set '{targets[1]}'"
            )
        now = time()
        if now < self.faults.outage_until:
            return answers.unavailable()
        if self.faults.throttle_next > 0:
            self.faults.throttle_next -= 1
            return answers.quota_exceeded(project, self.faults.retry_after)
        token = getattr(message, targets[0])
        refused = self._by_token(project, token)
        if refused is not None:
            return refused
        if request.validate_only or request.validateOnly:
            return answers.accepted(f"projects/{project}/messages/fake_message_id")
        return self._accept(project, token, message, now)

    def _by_token(self, project: str, token: str) -> Reply | None:
        kind = token.split("-", 1)[0]
        first = False
        if kind in ("quota", "flaky", "gone"):
            self._seen[token] += 1
            first = self._seen[token] == 1
        match kind:
            case "dead":
                return answers.unregistered()
            case "malformed":
                return answers.malformed_token()
            case "apns" if token.startswith("apns-dead-"):
                return answers.apns_token_disabled()
            case "mismatch":
                return answers.sender_mismatch()
            case "payload":
                return answers.too_big()
            case "authless":
                return answers.third_party_auth()
            case "quota" if first and token.startswith("quota-once-"):
                return answers.quota_exceeded(project, self.faults.retry_after)
            case "flaky" if first:
                return answers.unavailable()
            case "gone" if not first and token.startswith("gone-once-"):
                return answers.unregistered()
        return None

    def _accept(self, project: str, token: str, message: _Message, now: float) -> Reply:
        self.first_at = self.first_at or now
        self.last_at = now
        data = message.data or {}
        self.accepted_keys[data.get(PUSH_KEY, token)] += 1
        self.accepted_tokens[token] += 1
        number = next(self._numbers)
        name = f"projects/{project}/messages/0:{int(now * 1e6)}%{number:08x}"
        self.messages.append(
            {
                "number": number,
                "name": name,
                "at": now,
                "token": token,
                "notification": message.notification,
                "data": data,
                "android": message.android,
                "apns": message.apns,
                "webpush": message.webpush,
            }
        )
        return answers.accepted(name)
