"""Topics: who is subscribed, FCM's API for it, and whom a push to a topic reaches. No I/O.

    POST   …/registrations/{token or FID}/topicSubscriptions?topic_name=T    409 if there already
    PATCH  …/topicSubscriptions/T?allow_missing=true                         GET, DELETE: the same
    GET    …/topicSubscriptions?page_size=&page_token=                       a page

Answers are spelled as the API's description does (`topicName`), which is what generated clients
read; queries are taken in both spellings.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from fcm_simulator.fcm import answers
from fcm_simulator.fcm.answers import Reply
from fcm_simulator.fcm.conditions import TOPIC, read_condition
from fcm_simulator.fcm.registrations import Registrations

TOPICS_MAX = 2_000
"""Of one installation."""
PAGE = 1_000
PAGE_MAX = 2_000
_PATH = re.compile(r"/v1/projects/([^/]+)/registrations/([^/]+)/topicSubscriptions(?:/([^/]+))?")


@dataclass(frozen=True, slots=True)
class Address:
    """What a path of the API names."""

    project: str
    registration: str
    topic: str | None


def read_path(path: str) -> Address | None:
    parts = _PATH.fullmatch(path)
    return Address(parts[1], parts[2], parts[3]) if parts else None


@dataclass
class Topics:
    registrations: Registrations
    _followed: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """By project and key: topic → when."""
    _followers: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """By project and topic: keys."""

    def call(self, method: str, at: Address, query_string: bytes, now: float) -> Reply:
        """Answer a call for a registration that FCM takes."""
        query = parse_qs(query_string.decode(errors="replace"))
        match method, at.topic:
            case "POST", None:
                topic = _one(query, "topic_name", "topicName")
                if not TOPIC.fullmatch(topic):
                    return answers.invalid_argument("topic_name", "Invalid topic name")
                return self._create(at, topic, now)
            case "GET", None:
                return self._list(at, query)
            case "GET", str() as topic:
                made = self._of(at).get(topic)
                return answers.missing() if made is None else _found(at, topic, made)
            case "PATCH", str() as topic:
                made = self._of(at).get(topic)
                if made is not None:
                    return _found(at, topic, made)
                if not _is_true(query):
                    return answers.missing()
                if not TOPIC.fullmatch(topic):
                    return answers.invalid_argument("name", "Invalid topic name")
                return self._create(at, topic, now)
            case "DELETE", str() as topic:
                return self._delete(at, topic, may_miss=_is_true(query))
        return answers.not_found()

    def recipients(self, project: str, message: Mapping[str, Any]) -> int:
        """How many installations a push to a topic or condition reaches."""
        topic = message.get("topic")
        keys: Iterable[str]
        if topic is not None:
            keys = self._followers.get((project, topic.removeprefix("/topics/")), ())
        else:
            condition = read_condition(message["condition"])
            assert condition is not None, "limits.refuse has read it"
            keys = [
                key
                for (owner, key), topics in self._followed.items()
                if owner == project and condition.holds(topics)
            ]
            if condition.holds(()):
                listed = self.registrations.all_keys()
                keys += [key for key in listed if not self._followed.get((project, key))]
        return sum(self.registrations.is_reachable(key, project) for key in keys)

    def __len__(self) -> int:
        return sum(map(len, self._followed.values()))

    def _of(self, at: Address) -> dict[str, str]:
        return self._followed.get((at.project, self.registrations.key(at.registration)), {})

    def _create(self, at: Address, topic: str, now: float) -> Reply:
        key = self.registrations.key(at.registration)
        followed = self._followed.setdefault((at.project, key), {})
        if topic in followed:
            return answers.already_exists()
        if len(followed) >= TOPICS_MAX:
            return answers.too_many_topics()
        moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        followed[topic] = moment.replace("+00:00", "Z")
        self._followers.setdefault((at.project, topic), set()).add(key)
        return _found(at, topic, followed[topic])

    def _delete(self, at: Address, topic: str, *, may_miss: bool) -> Reply:
        key = self.registrations.key(at.registration)
        if self._of(at).pop(topic, None) is None:
            return _reply({}) if may_miss else answers.missing()
        self._followers[at.project, topic].discard(key)
        return _reply({})

    def _list(self, at: Address, query: Mapping[str, list[str]]) -> Reply:
        size = _one(query, "page_size", "pageSize") or "0"
        start = _one(query, "page_token", "pageToken") or "0"
        if not size.isdecimal():
            return answers.invalid_argument("page_size", "Invalid page size")
        if not start.isdecimal():
            return answers.invalid_argument("page_token", "Invalid page token")
        first = int(start)
        last = first + (min(int(size), PAGE_MAX) or PAGE)
        followed = list(self._of(at).items())
        page: dict[str, Any] = {
            "topicSubscriptions": [
                _wire(at, *subscription) for subscription in followed[first:last]
            ]
        }
        if last < len(followed):
            page["nextPageToken"] = str(last)
        return _reply(page if followed else {})


def _found(at: Address, topic: str, made: str) -> Reply:
    return _reply(_wire(at, topic, made))


def _wire(at: Address, topic: str, made: str) -> dict[str, str]:
    parent = f"projects/{at.project}/registrations/{at.registration}"
    return {
        "name": f"{parent}/topicSubscriptions/{topic}",
        "topicName": topic,
        "createTime": made,
    }


def _reply(wire: Any) -> Reply:
    return Reply(200, msgspec.json.encode(wire), name="topics")


def _one(query: Mapping[str, list[str]], *names: str) -> str:
    return next((query[name][-1] for name in names if name in query), "")


def _is_true(query: Mapping[str, list[str]]) -> bool:
    return _one(query, "allow_missing", "allowMissing").lower() == "true"
