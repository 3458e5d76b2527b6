"""What the simulated FCM does with a message, and what it remembers. No I/O.

A registration that is listed has the life it was given (`registrations`). For every other one the
beginning of the token (or installation id) says what becomes of a push: any name of `outcomes`
with a dash, always (`dead-7`), or with `-once-` the first time only (`throttled-once-7`).

    quota-, quota-device-, quota-topic-   are spelled so beside throttled-, …
    flaky-                                is unavailable-once-
    gone-                                 200 once, then 404 UNREGISTERED
    fidless-                              an installation id that was read and never registered:
                                          404 UNREGISTERED; a token `fidless-…:…` is accepted

What has no such beginning is registered, and accepted.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from time import time
from typing import Any
from urllib.parse import quote

import msgspec

from fcm_simulator.fcm import answers, instance_id, outcomes
from fcm_simulator.fcm.answers import Manner, Reply
from fcm_simulator.fcm.faults import Faults
from fcm_simulator.fcm.message_rules import refuse
from fcm_simulator.fcm.outcomes import Trouble
from fcm_simulator.fcm.registrations import Registration, Registrations
from fcm_simulator.fcm.schema import BASIC, TARGETS, Schema
from fcm_simulator.fcm.topics import Address, Topics

MESSAGES_KEPT = 20_000
TRACES_KEPT = 1_000
PUSH_KEY = "clarion_push"
_UNAVAILABLE = frozenset(
    {Trouble.UNAVAILABLE, Trouble.UNAVAILABLE_MARKED, Trouble.UNAVAILABLE_WRAPPED}
)
_SHOWN = ("notification", "data", "android", "android_v2", "androidV2", "apns", "webpush")


@dataclass
class Fcm:
    """One simulated FCM for any number of projects."""

    schema: Schema = BASIC
    registrations: Registrations = field(default_factory=Registrations)
    replies: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    accepted_keys: Counter[str] = field(default_factory=Counter)
    """How often each push (`data.clarion_push`) was accepted."""
    accepted_tokens: Counter[str] = field(default_factory=Counter)
    reached: int = 0
    """Installations that pushes to topics and conditions went out to."""
    messages: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MESSAGES_KEPT))
    faults: Faults = field(default_factory=Faults)
    traces: Counter[str] = field(default_factory=Counter)
    """Sends by the trace that their `traceparent` names; FCM itself does not read it."""
    first_at: float = 0.0
    last_at: float = 0.0
    _seen: Counter[str] = field(default_factory=Counter)
    _numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.topics = Topics(self.registrations)

    def send(self, project: str, body: bytes, traceparent: str = "") -> Reply:
        """Answer `messages:send` for a caller who may."""
        trace = traceparent[3:35]
        if trace and (trace in self.traces or len(self.traces) < TRACES_KEPT):
            self.traces[trace] += 1
        reply = self._answer(project, body, time())
        self.replies[reply.name] += 1
        return reply

    def call_topics(self, method: str, at: Address, query_string: bytes) -> Reply:
        """Answer the API of topics for a caller who may."""
        refused = self.registrations.refusal(at.project, at.registration)
        if refused is None and self.registrations.find(at.registration) is None:
            named = outcomes.named_by(at.registration)
            if named is not None and not named[1] and named[0] in outcomes.ANSWERS:
                refused = self._told(named[0], at.project)
        reply = refused or self.topics.call(method, at, query_string, time())
        self.replies[reply.name] += 1
        return reply

    def call_instance_id(self, project: str, method: str, body: bytes) -> Reply:
        """Answer the older API of topics; `method`: of the newer one."""

        def call(name: str, topic: str) -> Reply:
            is_new = method == "POST"
            at = Address(project, name, None if is_new else topic)
            query = f"topic_name={quote(topic)}" if is_new else "allow_missing=true"
            return self.call_topics(method, at, query.encode())

        return instance_id.answer(body, call)

    def refuse(self, reply: Reply) -> Reply:
        """Count a request that did not get so far."""
        self.replies[reply.name] += 1
        return reply

    def fresh(self, listed: Iterable[Registration]) -> "Fcm":
        """The same with nothing counted, nothing ordered, and nobody else listed."""
        registrations = Registrations(self.registrations.is_strict)
        registrations.add(listed)
        return Fcm(self.schema, registrations)

    def stats(self) -> dict[str, Any]:
        """Counts to hold a sender's books against."""
        return {
            "requests": self.replies.total(),
            "replies": dict(self.replies),
            "accepted": self.accepted,
            "distinct_pushes": len(self.accepted_keys),
            "repeated_pushes": sum(times - 1 for times in self.accepted_keys.values()),
            "distinct_tokens": len(self.accepted_tokens),
            "reached_by_topics": self.reached,
            "registrations": len(self.registrations),
            "topics": len(self.topics),
            "traces": dict(self.traces),
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
            return answers.invalid_json(
                *((violation.field, violation.description) for violation in violations)
            )
        message: Mapping[str, Any] = request.get("message") or {}
        judge = partial(self._judge, project, request, message, len(body), now)
        reply = self._in_trouble(project, judge, now)
        delay = self.faults.delay()
        return replace(reply, delay=reply.delay + delay) if delay else reply

    def _in_trouble(self, project: str, judge: Callable[[], Reply], now: float) -> Reply:
        wait = self.faults.over_quota(project, now)
        if wait:
            return answers.quota_exceeded(f"project:{project}", int(wait) + 1)
        trouble = self.faults.next(now)
        if trouble is Trouble.OK:
            return judge()
        return self._meet(trouble, project, judge)

    def _meet(self, trouble: Trouble, project: str, go_on: Callable[[], Reply]) -> Reply:
        """What a name means. `go_on`: what happens to the push if nothing else does."""
        match trouble:
            case Trouble.OK:
                return go_on()
            case Trouble.SLOW:
                return replace(go_on(), delay=self.faults.slow_seconds)
            case Trouble.HANG:
                return Reply(0, b"", name=trouble, manner=Manner.NEVER)
            case Trouble.RESET:
                return Reply(0, b"", name=trouble, manner=Manner.CUT)
            case Trouble.REFUSED:
                return Reply(0, b"", name=trouble, manner=Manner.REFUSE)
            case Trouble.GOAWAY:
                return Reply(0, b"", name=trouble, manner=Manner.GO_AWAY)
            case Trouble.SILENCE | Trouble.LOST:
                manner = Manner.NEVER if trouble is Trouble.SILENCE else Manner.CUT
                reply = go_on()
                return replace(reply, manner=manner, name=f"{reply.name}, {trouble}")
            case _:
                return self._told(trouble, project)

    def _told(self, trouble: Trouble, project: str) -> Reply:
        """One of FCM's answers, with the Retry-After that was ordered."""
        seconds = self.faults.retry_after
        if trouble in _UNAVAILABLE:
            seconds = self.faults.outage_retry_after
        return outcomes.answer(trouble, project, seconds or None)

    def _judge(
        self,
        project: str,
        request: Mapping[str, Any],
        message: Mapping[str, Any],
        body_bytes: int,
        now: float,
    ) -> Reply:
        refused = refuse(message, self.faults.payload_counts, body_bytes)
        if refused is not None:
            return refused
        kind = next(name for name in TARGETS if message.get(name) is not None)
        target = message[kind]
        if self.faults.over_device_quota(target, now):
            return self._told(Trouble.THROTTLED_DEVICE, project)
        is_dry = _is_true(request.get("validate_only")) or _is_true(request.get("validateOnly"))
        trouble = Trouble.OK
        if kind in ("token", "fid"):
            if not target:
                return answers.malformed_token()
            refused = self.registrations.refusal(project, target)
            if refused is not None:
                return refused
            if self.registrations.find(target) is None:
                trouble = self._named_by(target, is_dry=is_dry)
        if trouble is not Trouble.OK:
            return self._meet(
                trouble, project, lambda: self._take(project, kind, message, now, is_dry=is_dry)
            )
        return self._take(project, kind, message, now, is_dry=is_dry)

    def _named_by(self, token: str, *, is_dry: bool) -> Trouble:
        if token.startswith("gone-"):
            self._seen[token] += not is_dry
            return Trouble.DEAD if self._seen[token] > 1 else Trouble.OK
        if token.startswith("fidless-"):
            return Trouble.OK if ":" in token else Trouble.DEAD
        named = outcomes.named_by(token)
        if named is None:
            return Trouble.OK
        trouble, is_once = named
        if not is_once:
            return trouble
        self._seen[token] += 1
        return trouble if self._seen[token] == 1 else Trouble.OK

    def _take(
        self, project: str, kind: str, message: Mapping[str, Any], now: float, *, is_dry: bool
    ) -> Reply:
        if is_dry:
            name = f"projects/{project}/messages/fake_message_id"
            return replace(answers.accepted(name), name="validated")
        return self._accept(project, kind, message, now)

    def _accept(self, project: str, kind: str, message: Mapping[str, Any], now: float) -> Reply:
        target = message[kind]
        self.first_at = self.first_at or now
        self.last_at = now
        self.accepted += 1
        data = message.get("data") or {}
        self.accepted_keys[data.get(PUSH_KEY, target)] += 1
        self.accepted_tokens[target] += 1
        number = next(self._numbers)
        name = f"projects/{project}/messages/0:{int(now * 1e6)}%{number:08x}"
        kept = {"number": number, "name": name, "project": project, "at": now, "token": target}
        if kind in ("token", "fid"):
            self.registrations.accepted(target, as_fid=kind == "fid")
        else:
            kept["reached"] = reached = self.topics.recipients(project, message)
            self.reached += reached
        for part in _SHOWN:
            kept[part] = message.get(part)
        kept["data"] = data
        self.messages.append(kept)
        return answers.accepted(name)


def _is_true(value: Any) -> bool:
    return value is True or value == "true"
