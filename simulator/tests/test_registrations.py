"""Registrations with a life, and whom a push to a topic reaches; all without a server."""

import json
from typing import Any

import pytest

from fcm_simulator.fcm.answers import Reply
from fcm_simulator.fcm.conditions import read_condition
from fcm_simulator.fcm.registrations import (
    Change,
    Life,
    ReachedBy,
    Registration,
    Registrations,
    read_seed,
)
from fcm_simulator.fcm.simulation import Fcm
from fcm_simulator.fcm.topics import TOPICS_MAX, Address

PROJECT = "shop-1"
TOKEN = "F1:APA91b-old"


def simulated(*listed: Registration, strict: bool = False) -> Fcm:
    registrations = Registrations(strict)
    registrations.add(listed)
    return Fcm(registrations=registrations)


def send(fcm: Fcm, project: str = PROJECT, **message: str) -> Reply:
    return fcm.send(project, json.dumps({"message": message}).encode())


def statuses(fcm: Fcm, *tokens: str) -> list[int]:
    return [send(fcm, token=token).status for token in tokens]


# Lives


@pytest.mark.parametrize(
    ("life", "replies"),
    [
        (Life.REGISTERED, ["accepted", "accepted"]),
        (Life.UNINSTALLED, ["accepted", "unregistered"]),
        (Life.UNREGISTERED, ["unregistered", "unregistered"]),
        (Life.EXPIRED, ["unregistered", "unregistered"]),
        (Life.APNS_DEAD, ["apns_dead", "apns_dead"]),
        (Life.APNS_BAD, ["apns_bad_token", "apns_bad_token"]),
        (Life.WRONG_SENDER, ["sender_mismatch", "sender_mismatch"]),
    ],
)
def test_who_is_listed_has_the_life_it_was_given(life: Life, replies: list[str]) -> None:
    fcm = simulated(Registration(token="dead-or-not", state=life))
    assert [send(fcm, token="dead-or-not").name for _ in replies] == replies


def test_a_dry_run_ends_no_life() -> None:
    fcm = simulated(Registration(token="t", state=Life.UNINSTALLED))
    dry = b'{"message":{"token":"t"},"validate_only":true}'
    assert [fcm.send(PROJECT, dry).status for _ in range(3)] == [200, 200, 200]
    assert statuses(fcm, "t", "t") == [200, 404]


def test_another_projects_sender_is_the_wrong_one() -> None:
    fcm = simulated(Registration(token="t", project="other"))
    assert send(fcm, token="t").name == "sender_mismatch"
    assert send(fcm, "other", token="t").name == "accepted"


def test_nobody_else_exists_where_it_is_strict() -> None:
    fcm = simulated(Registration(token="t", fid="f"), strict=True)
    assert statuses(fcm, "t", "unheard-of", "flaky-1", "") == [200, 404, 404, 400]
    assert send(fcm, fid="unheard-of").name == "unregistered"


def test_a_reinstalled_app_lives_again() -> None:
    registrations = Registrations()
    registrations.add([Registration(token="t", state=Life.EXPIRED)])
    registrations.add([Registration(token="t")])
    assert registrations.refusal(PROJECT, "t") is None
    assert len(registrations) == 1


# Tokens and installation ids


@pytest.mark.parametrize("is_listed", [True, False])
def test_after_a_send_to_its_fid_the_old_token_is_dead(is_listed: bool) -> None:
    listed = [Registration(token=TOKEN, fid="F1")] if is_listed else []
    fcm = simulated(*listed)
    assert statuses(fcm, TOKEN, TOKEN) == [200, 200]
    assert send(fcm, fid="F1").status == 200
    assert statuses(fcm, TOKEN, "F1", "F2:APA91b") == [404, 200, 200]
    assert send(fcm, fid="F1").status == 200


def test_a_send_that_was_not_accepted_kills_no_token() -> None:
    fcm = simulated(Registration(token=TOKEN, fid="F1"))
    dry = b'{"message":{"fid":"F1"},"validate_only":true}'
    assert fcm.send(PROJECT, dry).status == 200
    assert send(fcm, fid="F1", topic_="x").status == 400
    assert statuses(fcm, TOKEN) == [200]


def test_an_app_that_asks_for_a_token_again_loses_its_fid_until_it_registers_it() -> None:
    fcm = simulated(Registration(token=TOKEN, fid="F1"))
    send(fcm, fid="F1")
    one = fcm.registrations.find("F1")
    assert one is not None
    fcm.registrations.change(one, Change(token="F1:APA91b-new"))
    assert statuses(fcm, "F1:APA91b-new") == [200]
    assert send(fcm, fid="F1").name == "unregistered"
    fcm.registrations.change(one, Change(fid="F1"))
    assert send(fcm, fid="F1").name == "accepted"
    assert statuses(fcm, "F1:APA91b-new") == [404]
    assert fcm.registrations.find(TOKEN) is None


def test_an_fid_that_was_read_and_never_registered_is_none_and_its_token_lives() -> None:
    (listed,) = read_seed(b'{"token":"F1:a","fid":"F1","reached_by":"token"}')
    fcm = simulated(listed)
    for _ in range(2):
        assert send(fcm, fid="F1").name == "unregistered"
        assert send(fcm, token="F1").name == "unregistered"
        assert statuses(fcm, "F1:a") == [200]
    fcm.registrations.change(listed, Change(fid="F1"))
    assert send(fcm, fid="F1").name == "accepted"
    fcm.registrations.change(listed, Change(reached_by=ReachedBy.TOKEN))
    assert send(fcm, fid="F1").name == "unregistered"
    assert statuses(fcm, "F1:a") == [200]


def test_a_seed_file_is_read_line_by_line_and_a_bad_line_is_named() -> None:
    lines = b'{"token":"t","state":"expired","platform":"ios"}\n\n{"fid":"f"}\n'
    assert [(one.token, one.fid, one.state) for one in read_seed(lines)] == [
        ("t", "", Life.EXPIRED),
        ("", "f", Life.REGISTERED),
    ]
    for bad in (b"{}", b'{"token":"t","state":"happy"}', b'{"tokn":"t"}', b"\xff", b"["):
        with pytest.raises(ValueError, match="line 2: "):
            read_seed(b'{"token":"t"}\n' + bad)


# Topics


def call(fcm: Fcm, method: str, name: str, topic: str | None = None, query: str = "") -> Any:
    reply = fcm.call_topics(method, Address(PROJECT, name, topic), query.encode())
    return reply.status, json.loads(reply.body)


def follow(fcm: Fcm, topic: str, *names: str) -> None:
    for name in names:
        assert call(fcm, "POST", name, query=f"topic_name={topic}")[0] == 200


def test_a_topic_is_followed_once_found_and_left() -> None:
    fcm = simulated()
    status, made = call(fcm, "POST", "t", query="topicName=news")
    assert status == 200
    assert made["name"] == f"projects/{PROJECT}/registrations/t/topicSubscriptions/news"
    assert made["topicName"] == "news"
    assert made["createTime"].endswith("Z")
    status, error = call(fcm, "POST", "t", query="topic_name=news")
    assert (status, error["error"]["status"]) == (409, "ALREADY_EXISTS")
    assert call(fcm, "GET", "t", "news") == (200, made)
    assert call(fcm, "PATCH", "t", "news") == (200, made)
    assert call(fcm, "GET", "t") == (200, {"topicSubscriptions": [made]})
    assert call(fcm, "DELETE", "t", "news") == (200, {})
    assert call(fcm, "DELETE", "t", "news")[0] == 404
    assert call(fcm, "DELETE", "t", "news", "allow_missing=true") == (200, {})
    assert call(fcm, "GET", "t") == (200, {})


def test_a_missing_one_is_made_by_patch_only_where_it_may_be_missing() -> None:
    fcm = simulated()
    status, error = call(fcm, "PATCH", "t", "news")
    assert (status, error["error"]["status"]) == (404, "NOT_FOUND")
    assert "details" not in error["error"]
    assert call(fcm, "PATCH", "t", "news", "allowMissing=true")[0] == 200
    assert call(fcm, "GET", "t", "news")[0] == 200


@pytest.mark.parametrize("topic", ["", "a%20b", "x" * 901, "%2Ftopics%2Fa"])
def test_a_topic_must_have_a_topics_name(topic: str) -> None:
    status, error = call(simulated(), "POST", "t", query=f"topic_name={topic}")
    assert (status, error["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_topics_are_listed_page_by_page() -> None:
    fcm = simulated()
    for number in range(5):
        follow(fcm, f"t{number}", "one")
    found, query = [], "page_size=2"
    while True:
        _, page = call(fcm, "GET", "one", query=query)
        found.append([one["topicName"] for one in page["topicSubscriptions"]])
        if "nextPageToken" not in page:
            break
        query = f"pageSize=2&pageToken={page['nextPageToken']}"
    assert found == [["t0", "t1"], ["t2", "t3"], ["t4"]]
    assert call(fcm, "GET", "one", query="page_size=x")[0] == 400
    assert call(fcm, "GET", "one", query="page_token=x")[0] == 400


def test_an_installation_follows_no_more_topics_than_it_may() -> None:
    fcm = simulated()
    for number in range(TOPICS_MAX):
        follow(fcm, f"t{number}", "one")
    status, error = call(fcm, "POST", "one", query="topic_name=more")
    assert (status, error["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")


def test_a_dead_registration_can_follow_nothing() -> None:
    fcm = simulated(Registration(token="t", state=Life.UNREGISTERED))
    for name, status in {"t": 404, "dead-1": 404, "malformed-1": 400, "mismatch-1": 403}.items():
        assert call(fcm, "POST", name, query="topic_name=news")[0] == status


def reached(fcm: Fcm, **target: str) -> int:
    before = fcm.stats()["reached_by_topics"]
    assert send(fcm, **target).status == 200
    return int(fcm.stats()["reached_by_topics"]) - before


def test_a_push_to_a_topic_reaches_who_follows_it_and_lives() -> None:
    gone = Registration(token="gone", state=Life.REGISTERED)
    fcm = simulated(gone, Registration(token="t"))
    follow(fcm, "news", "gone", "t", "unlisted")
    assert reached(fcm, topic="news") == 3
    assert fcm.messages[-1]["reached"] == 3
    gone.state = Life.EXPIRED
    assert reached(fcm, topic="/topics/news") == 2
    call(fcm, "DELETE", "t", "news")
    assert reached(fcm, topic="news") == 1
    assert reached(fcm, topic="unheard-of") == 0


def test_topics_stay_with_the_installation_whatever_its_token_becomes() -> None:
    fcm = simulated(Registration(token=TOKEN, fid="F1"))
    follow(fcm, "news", TOKEN, "F2:APA91b")
    assert call(fcm, "GET", "F1", "news")[0] == 200
    assert call(fcm, "GET", "F2", "news")[0] == 200
    send(fcm, fid="F1")
    assert reached(fcm, topic="news") == 2


def test_a_condition_reaches_each_whom_it_holds_for_once() -> None:
    fcm = simulated(Registration(token="idle"))
    follow(fcm, "a", "one", "two")
    follow(fcm, "b", "two", "three")
    for text, count in {
        "'a' in topics": 2,
        "'a' in topics || 'b' in topics": 3,
        "'a' in topics && 'b' in topics": 1,
        "'a' in topics && !('b' in topics)": 1,
        "!('a' in topics)": 2,
    }.items():
        assert reached(fcm, condition=text) == count, text


@pytest.mark.parametrize(
    ("text", "topics", "holds"),
    [
        ("'a' in topics || 'b' in topics && 'c' in topics", "a", False),
        ("'a' in topics || ('b' in topics && 'c' in topics)", "a", True),
        ("'a' in topics && 'b' in topics || 'c' in topics", "c", True),
        ("!'a' in topics", "", True),
        ("('a' in topics)&&('b' in topics)", "ab", True),
    ],
)
def test_a_condition_is_read_from_left_to_right_brackets_first(
    text: str, topics: str, holds: bool
) -> None:
    condition = read_condition(text)
    assert condition is not None
    assert condition.holds(topics) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "'a' in",
        "'a' in topic",
        "'a b' in topics",
        "'a' in topics &&",
        "'a' in topics 'b' in topics",
        "('a' in topics",
        "'a' in topics)",
        "&& 'a' in topics",
        "(" * 1_000 + "'a' in topics" + ")" * 1_000,
    ],
)
def test_a_condition_that_can_not_be_read_is_none(text: str) -> None:
    assert read_condition(text) is None
