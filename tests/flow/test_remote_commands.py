"""The command line as a client of the API: here and elsewhere it says the same.

`here` runs a command in process, on the data directory, as the operator; `there` runs it over HTTP
with an API key, against a `clarion serve` that is a process of its own on the same data.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from zipfile import ZipFile

import pytest

from support.command import Clarion, serving
from support.patience import PATIENCE
from support.people import accept_all
from support.ports import free_ports
from support.ready_command import started

EXPORTS = Path(__file__).parents[1] / "golden" / "exports"
Result = tuple[int, str, str]

_CHANGING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"clk_[\w…-]+"), "<key>"),
    (re.compile(r"cis_[\w-]+"), "<secret>"),
    (re.compile(r"\b[0-9a-f]{48}\b"), "<write key>"),
    (re.compile(r"…[0-9a-f]{4}\b"), "<end>"),
    (re.compile(r"\d{4}-\d\d-\d\d(?![T \d])"), "<day>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "<time>"),
    (re.compile(r"/console/invitations/[\w-]+"), "<path>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)"), "<time>"),
    (re.compile(r'("last_used_at": )(null|"<time>")'), r"\1<time or null>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r'"invited_by": "(command line|there)"'), '"invited_by": "<actor>"'),
    (re.compile(r"[ \n]+"), " "),
)


def alike(result: Result) -> Result:
    """The result without what two runs of one command may have different: ids, keys, times, who."""
    code, *texts = result
    for pattern, instead in _CHANGING:
        texts = [pattern.sub(instead, text) for text in texts]
    return code, texts[0], texts[1]


class Both:
    """One installation, worked on from here and from there."""

    def __init__(self, clarion: Clarion, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = clarion.home
        self._clarion = clarion
        self._monkeypatch = monkeypatch
        self.url = url
        self.key = clarion.json("keys", "create", "there", "--scope", "admin")["key"]

    def here(self, *tokens: str) -> Result:
        return self._clarion(*tokens)

    def there(self, *tokens: str, key: str | None = None) -> Result:
        """Nothing of this machine's data is named, as on another machine."""
        with self._monkeypatch.context() as elsewhere:
            elsewhere.delenv("CLARION_DATA_DIR")
            elsewhere.setenv("CLARION_URL", self.url)
            elsewhere.setenv("CLARION_API_KEY", key or self.key)
            return self._clarion(*tokens)

    def id_of(self, result: Result) -> str:
        return str(json.loads(result[1])["id"])


@pytest.fixture
def both(clarion: Clarion, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    with serving(clarion.home) as (url, _, _):
        yield Both(clarion, url, monkeypatch)


def test_what_is_looked_at_is_the_same_here_and_there(both: Both) -> None:
    asyncio.run(accept_all(both.home, [("ada@example.com", "admin")]))
    both.here("people", "invite", "ben@example.com")
    both.there("keys", "list")  # from now on the key has been used
    both.here("workspace", "set", "--name", "Shop", "--stale-after-days", "90")
    for tokens in (
        ("keys", "list"),
        ("workspace", "show"),
        ("workspaces", "show"),
        ("workspaces", "list"),
        ("workspaces", "retention"),
        ("workspaces", "retention", "--deliveries", "90", "--audit", "forever"),
        ("people", "list"),
        ("people", "invitations"),
        ("audit",),
        ("audit", "--limit", "2"),
        ("audit", "--actor", "operator", "--verb", "workspace.change"),
        ("audit", "--thing-kind", "nothing"),
    ):
        for more in ((), ("--json",)):
            here, there = both.here(*tokens, *more), both.there(*tokens, *more)
            assert here[0] == 0, here
            # Each call there is a use of the key, and what is old is so at the time of the call.
            if tokens[0] == "keys" or "retention" in tokens:
                here, there = alike(here), alike(there)
            assert here == there, tokens


def test_a_long_log_comes_whole_in_several_pages(both: Both) -> None:
    for number in range(6):
        both.here("workspace", "set", "--stale-after-days", str(70 + number))
    log = json.loads(both.here("audit", "--json")[1])
    assert len(log) >= 7
    for limit in (1, 5, len(log)):
        answer = both.there("audit", "--limit", str(limit), "--json")
        assert json.loads(answer[1]) == log[:limit]
    older = both.there("audit", "--before", log[2]["id"], "--json")
    assert json.loads(older[1]) == log[3:]


def test_what_is_done_is_told_the_same_here_and_there(both: Both) -> None:
    people = [("ada@example.com", "admin"), ("ben@example.com", "author")]
    asyncio.run(accept_all(both.home, people))
    steps: tuple[tuple[str, ...], ...] = (
        ("keys", "create", "script"),
        ("keys", "create", "script", "--scope", "write", "--scope", "admin", "--json"),
        ("workspace", "set", "--stale-after-days", "80"),
        ("workspaces", "set-retention", "--deliveries", "200", "--audit", "forever"),
        ("workspaces", "set-retention", "--ingest-log", "7", "--json"),
        ("workspaces", "create", "second"),
        ("workspaces", "create", "third", "--json"),
        ("people", "invite", "cleo@example.com", "--role", "publisher"),
        ("people", "invite", "dora@example.com", "--json"),
        ("people", "role", "ben@example.com", "publisher"),
        ("people", "role", "ben@example.com", "publisher", "--json"),
        ("people", "deactivate", "ben@example.com"),
        ("people", "deactivate", "ben@example.com", "--json"),
        ("people", "reactivate", "Ben@example.com"),
        ("people", "reactivate", "ben@example.com", "--json"),
    )
    for tokens in steps:
        here, there = alike(both.here(*tokens)), alike(both.there(*tokens))
        assert here[0] == 0, here
        assert here == there, tokens


def test_what_is_ended_is_told_the_same_here_and_there(both: Both) -> None:
    for make, end in (
        (("keys", "create", "script", "--json"), ("keys", "revoke")),
        (("people", "invite", "cleo@example.com", "--json"), ("people", "uninvite")),
    ):
        for more in ((), ("--json",)):
            first, second = both.id_of(both.here(*make)), both.id_of(both.there(*make))
            here, there = both.here(*end, first, *more), both.there(*end, second, *more)
            assert here[0] == 0, here
            assert alike(here) == alike(there)


NOBODY = "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["for people", "as JSON"])
def test_what_can_not_be_done_is_told_the_same_here_and_there(
    both: Both, as_json: tuple[str, ...]
) -> None:
    asyncio.run(accept_all(both.home, [("ada@example.com", "admin")]))
    for code, *tokens in (
        (2, "keys", "create", "x", "--scope", "root"),
        (2, "people", "invite", "--role", "owner"),
        (2, "audit", "--limit", "0"),
        (3, "keys", "revoke", NOBODY),
        (3, "keys", "revoke", "no-id"),
        (3, "people", "uninvite", NOBODY),
        (3, "people", "role", "nobody@example.com", "viewer"),
        (3, "audit", "--before", "no-id"),
        (5, "keys", "create", ""),
        (2, "workspaces", "set-retention"),
        (2, "workspaces", "set-retention", "--audit", "0"),
        (5, "workspaces", "create", " "),
        (5, "people", "invite", "no address"),
        (5, "people", "deactivate", "ada@example.com"),
        (5, "people", "role", "ada@example.com", "viewer"),
    ):
        words = [str(word) for word in tokens]
        here, there = both.here(*words, *as_json), both.there(*words, *as_json)
        assert here[0] == code, here
        assert here == there, words


def google_key(clarion: Clarion, project: str = "shop", **changed: str) -> str:
    """The file of a key as Google's console gives it."""
    file = clarion.key_file(project)
    key = json.loads(file.read_text()) | {"token_uri": "https://oauth2.googleapis.com/token"}
    file.write_text(json.dumps(key | changed))
    return str(file)


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["for people", "as JSON"])
def test_firebase_apps_are_the_same_here_and_there(
    both: Both, clarion: Clarion, as_json: tuple[str, ...]
) -> None:
    file, broken = google_key(clarion), google_key(clarion, "broken", private_key="none")
    clarion.json("sources", "create", "app")
    clarion.json("firebase-apps", "add", file)
    for code, *tokens in (
        (0, "add", file),
        (0, "add", file, "--source", "app", "--project", "shop"),
        (0, "list"),
        (0, "set", "shop", "--pushes-per-minute", "1200000"),
        (0, "set", "shop", "--avoid-peaks"),
        (0, "pause", "shop", "--reason", "the key is rotated"),
        (0, "list"),
        (0, "resume", "shop"),
        (0, "removals", "shop", "keep"),
        (2, "removals", "shop", "neither"),
        (3, "add", "nowhere.json"),
        (3, "add", file, "--source", "nothing"),
        (3, "pause", "nothing"),
        (5, "add", broken),
        (5, "add", file, "--project", "store"),
        (5, "pause", "shop", "--reason", "x" * 201),
        (5, "set", "shop", "--pushes-per-minute", "0"),
    ):
        words = ["firebase-apps", *map(str, tokens), *as_json]
        here, there = alike(both.here(*words)), alike(both.there(*words))
        assert here[0] == code, here
        assert here == there, words


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["for people", "as JSON"])
def test_sources_and_their_keys_are_the_same_here_and_there(
    both: Both, clarion: Clarion, as_json: tuple[str, ...]
) -> None:
    clarion("firebase-apps", "add", google_key(clarion))
    clarion.json("sources", "create", "app")
    for code, *tokens in (
        (0, "list"),
        (0, "create", "web", "--firebase-app", "shop"),
        (0, "show", "app"),
        (0, "bind", "app", "shop"),
        (0, "rotate", "app"),
        (0, "rotate", "app", "--for", "90"),
        (0, "sign", "app"),
        (0, "sign", "app", "--ask-in", "60"),
        (0, "ask", "app", "--in", "7"),
        (0, "show", "app"),
        (0, "unsign", "app"),
        (0, "limit", "app", "100", "--burst", "500"),
        (0, "limit", "app"),
        (0, "origins", "app", "https://shop.example"),
        (0, "origins", "app"),
        (0, "revoke", "app"),
        (0, "restore", "app"),
        (0, "counts", "app", "--hours", "3"),
        (0, "tail", "app", "--no-follow"),
        (0, "list"),
        (2, "limit", "app", "--burst", "5"),
        (2, "origins", "app", "shop.example"),
        (2, "counts"),
        (3, "show", "nothing"),
        (3, "bind", "app", "nothing"),
        (3, "retire", "app", "nothing"),
        (5, "create", " "),
    ):
        words = ["sources", *map(str, tokens), *as_json]
        here, there = alike(both.here(*words)), alike(both.there(*words))
        assert here[0] == code, here
        assert here == there, words
    first, second = (one["id"] for one in clarion.json("sources", "show", "app")["keys"][:2])
    for verb, key in (("retire", first), ("restore", first), ("retire", second)):
        here = alike(both.here("sources", verb, "app", key, *as_json))
        there = alike(both.there("sources", verb, "app", key, *as_json))
        assert (here[0], here) == (0, there)


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["for people", "as JSON"])
def test_customers_and_devices_are_the_same_here_and_there(
    both: Both, clarion: Clarion, as_json: tuple[str, ...]
) -> None:
    write_key = clarion.json("sources", "create", "app")["write_key"]
    send(both.url, write_key, "first")
    send(both.url, write_key, "second", user_id="a/b", device_id="D/1")
    until_known(clarion, "a/b")
    for code, *tokens in (
        (0, "customers", "list"),
        (0, "customers", "list", "--limit", "1"),
        (0, "customers", "find", "ad"),
        (0, "customers", "show", "ada"),
        (0, "customers", "show", "a/b"),
        (0, "customers", "events", "ada"),
        (0, "customers", "events", "ada", "--before", "1"),
        (0, "customers", "history", "a/b"),
        (0, "customers", "devices", "a/b"),
        (0, "customers", "timeline", "a/b"),
        (0, "customers", "merge", "ada", "a/b", "--yes"),
        (0, "customers", "merges"),
        (0, "customers", "unmerge", "ada"),
        (0, "customers", "suppress", "ada", "--yes"),
        (0, "devices", "list"),
        (0, "devices", "show", "D/1"),
        (0, "devices", "history", "D/1"),
        (0, "devices", "why", "D/1"),
        (0, "devices", "freshness", "--by", "app_version"),
        (0, "devices", "stale", "--in-days", "90"),
        (0, "devices", "swept"),
        (2, "customers", "erase", "ada"),
        (2, "devices", "freshness", "--by", "owner"),
        (3, "customers", "list", "--after", "no-id"),
        (3, "customers", "show", "nobody"),
        (3, "customers", "show", ""),
        (3, "customers", "timeline", "nobody"),
        (3, "customers", "unsuppress", "a/b"),
        (3, "customers", "export", "nobody", "--out", "nobody.zip"),
        (3, "devices", "show", "nothing"),
        (5, "customers", "merge", "ada", "nobody", "--yes"),
    ):
        words = [*map(str, tokens), *as_json]
        here = alike(both.here(*words))
        if tokens[1] == "merge" and code == 0:
            both.here("customers", "unmerge", "ada")
        if tokens[1] == "unmerge":
            both.here("customers", "merge", "ada", "a/b", "--yes")
        there = alike(both.there(*words))
        assert here[0] == code, here
        if tokens[1] not in ("merge", "unmerge", "merges"):  # they name who has done it
            assert here == there, words
        assert here[0] == there[0]


def test_a_person_is_exported_and_erased_from_elsewhere(both: Both, clarion: Clarion) -> None:
    send(both.url, clarion.json("sources", "create", "app")["write_key"], "first")
    until_known(clarion, "ada")
    file = both.home / "ada.zip"
    assert both.there("customers", "export", "ada", "--out", str(file))[0] == 0
    with ZipFile(file) as zipped:
        assert json.loads(zipped.read("profile.json"))["user_id"] == "ada"
    told = both.there("customers", "erase", "ada", "--yes", "--json")
    assert (told[0], json.loads(told[1])["events"]) == (0, 1)
    assert both.here("customers", "show", "ada")[0] == 3
    assert both.there("customers", "unsuppress", "ada")[0] == 0


def until_known(clarion: Clarion, user_id: str) -> None:
    """Wait until an ingestor has taken somebody in."""
    latest = monotonic() + PATIENCE
    while clarion("customers", "show", user_id)[0] != 0:
        assert monotonic() < latest


def test_what_is_imported_and_exported_is_the_same_here_and_there(
    both: Both, clarion: Clarion
) -> None:
    clarion.json("sources", "create", "app")
    file = both.home / "crm.csv"
    rows = [f"user-{number},{number}" for number in range(1_200)]
    file.write_text("\n".join(["user_id,age:number", *rows, ",5"]) + "\n")
    tokens = ("customers", str(file), "--source", "app", "--restart")
    for run in (both.there, both.here):
        told = json.loads(run("import", *tokens, "--json")[1])
        assert (told["lines"], told["taken"], told["refused"]) == (1_202, 1_200, 1)
    shutil.copy(EXPORTS / "pinpoint.json", both.home)
    leaving = (str(both.home / "pinpoint.json"), "--from", "pinpoint", "--source", "app")
    for run in (both.there, both.here):
        told = json.loads(run("import", *leaving, "--restart", "--json")[1])
        assert (told["taken"], told["refused"]) == (6, 4)
    until_known(clarion, "user-1199")
    for kind in ("customers", "devices", "events"):
        for form in ("csv", "ndjson"):
            export = ("export", kind, "--format", form)
            assert both.here(*export) == both.there(*export)
    for run in (both.here, both.there):
        out = both.home / "out.csv"
        assert "1,200 customers are in" in run("export", "customers", "--out", str(out))[1]
        assert len(out.read_text().splitlines()) == 1_201
    writer = json.loads(both.here("keys", "create", "w", "--scope", "write", "--json")[1])["key"]
    assert both.there("import", *tokens, key=writer)[0] == 0
    code, _, errors = both.there("export", "customers", key=writer)
    assert (code, "the scope admin" in " ".join(errors.split())) == (5, True)


def test_an_import_outlives_a_server_that_is_killed_and_started_again(
    clarion: Clarion, tmp_path: Path
) -> None:
    """Wherever it is just then: it hands a batch over, or asks how much waits."""
    clarion.json("sources", "create", "app")
    key = clarion.json("keys", "create", "there", "--scope", "admin")["key"]
    file = tmp_path / "crm.csv"
    file.write_text("\n".join(["user_id", *(f"user-{n}" for n in range(20_000))]) + "\n")
    [port] = free_ports(1)
    environment = {name: value for name, value in os.environ.items() if name[:8] != "CLARION_"}
    environment |= {"CLARION_URL": f"http://127.0.0.1:{port}", "CLARION_API_KEY": key}
    tokens = ("import", "customers", str(file), "--source", "app", "--json")
    with serving(clarion.home, port) as (_, _, first):
        importing = started(
            *tokens, environment=environment, directory=tmp_path, stdout=subprocess.PIPE
        )
        until_known(clarion, "user-0")
        first.kill()
    assert importing.poll() is None, "the import was over before the server was killed"
    with serving(clarion.home, port):
        told = json.loads(importing.communicate(timeout=PATIENCE)[0])
        assert (importing.returncode, told["taken"], told["refused"]) == (0, 20_000, 0)
        latest = monotonic() + PATIENCE  # what the dead server had in hand is taken up later
        while (known := clarion("export", "customers")[1].count("\n")) < 20_000:
            assert monotonic() < latest
        assert known == 20_000


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["for people", "as JSON"])
def test_campaigns_are_the_same_here_and_there(
    both: Both, clarion: Clarion, as_json: tuple[str, ...]
) -> None:
    clarion.json("sources", "create", "app")
    create = ("campaigns", "create", "Spring", "--title", "Hi {{ customer.name }}", "--everyone")
    mine = clarion.json(*create)["id"]
    other = clarion.json(*create)["id"]
    soon = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    for code, *tokens in (
        (0, *create[1:]),
        (0, "list", "--limit", "2"),
        (0, "show", "ID"),
        (0, "edit", "ID", "--body", "Good morning"),
        (0, "preview", "ID"),
        (0, "try", "--title", "Hi {{ customer.name }}", "--language", "de.title=Hallo"),
        (0, "check", "ID"),
        (0, "report", "ID"),
        (5, "schedule", "ID", "--at", soon),
        (0, "schedule", "ID", "--at", soon, "--allow-empty"),
        (0, "pause", "ID"),
        (0, "resume", "ID", "--yes"),
        (0, "unschedule", "ID"),
        (
            0,
            *("schedule", "ID", "--at", soon[:16], "--own-time", "--repeat", "weekly"),
            "--allow-empty",
        ),
        (0, "cancel", "ID"),
        (0, "report", "ID"),
        (0, "launches", "ID"),
        (0, "activity", "ID"),
        (2, "activity"),
        (0, "archive", "ID"),
        (0, "list", "--archived"),
        (0, "restore", "ID"),
        (0, "duplicate", "ID", "--name", "Autumn"),
        (5, "delete", "ID"),
        (3, "delete", NOBODY),
        (5, *create[1:], "--at", soon[:16], "--own-time", "--fallback-zone", "Vienna"),
        (3, "launches", NOBODY),
        (3, "launch", NOBODY),
        (3, "launch", "no-id"),
        (3, "activity", "--launch", NOBODY),
        (2, *create[1:], "--at", "now"),
        (2, "edit", mine),
        (3, "show", NOBODY),
        (3, "show", "no-id"),
        (3, "schedule", NOBODY, "--at", "now", "--yes"),
        (3, "preview", mine, "--user-id", "nobody"),
        (5, "test", "ID", "--to", "ada"),
        (5, "try", "--title", "{{ a | nofilter }}"),
        (5, "create", "Spring"),
        (5, *create[1:], "--at", "yesterday"),
        (5, "schedule", mine, "--at", "2099-03-01T09:00:00Z"),
        (5, "edit", mine, "--title", "{{ a | nofilter }}"),
    ):
        here = alike(both.here("campaigns", *(mine if x == "ID" else x for x in tokens), *as_json))
        there = alike(
            both.there("campaigns", *(other if x == "ID" else x for x in tokens), *as_json)
        )
        assert here[0] == code, here
        assert here == there, tokens


def test_a_key_that_may_only_look_may_ask_what_a_campaign_would_do(both: Both) -> None:
    reader = json.loads(both.here("keys", "create", "reader", "--json")[1])["key"]
    create = ("campaigns", "create", "Spring", "--title", "Hello", "--everyone")
    code, _, errors = both.there(*create, "--at", "now", key=reader)
    assert (code, "sends to 0 devices of 0 customers now" in " ".join(errors.split())) == (2, True)
    for more in ((), ("--at", "now", "--yes")):
        code, _, errors = both.there(*create, *more, key=reader)
        assert (code, "the scope write" in " ".join(errors.split())) == (5, True)


def test_what_a_source_sends_is_watched_from_elsewhere(both: Both) -> None:
    write_key = json.loads(both.here("sources", "create", "app", "--json")[1])["write_key"]
    send(both.url, write_key, "first")
    here = both.here("sources", "tail", "app", "--no-follow", "--json")
    assert both.there("sources", "tail", "app", "--no-follow", "--json") == here
    process = _process(
        both.home, both.url, "-m", "clarion.cli", "sources", "tail", "app", "--json", key=both.key
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["message_id"] == "first"
    send(both.url, write_key, "second")
    assert json.loads(process.stdout.readline())["message_id"] == "second"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, "")


def send(
    url: str, write_key: str, message_id: str, *, user_id: str = "ada", device_id: str | None = None
) -> None:
    """An event, which is durable when this returns; with `device_id` it registers the device."""
    event: dict[str, Any] = {
        "type": "track",
        "event": "Seen",
        "userId": user_id,
        "messageId": message_id,
    }
    if device_id is not None:
        event["event"] = "Register Push"
        event["properties"] = {
            "deviceId": device_id,
            "fcmToken": "t" * 40,
            "deviceType": "Android",
        }
    body = json.dumps({"writeKey": write_key, "batch": [event]}).encode()
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"{url}/v1/batch", body, headers)
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        assert answer.status == 200


def test_a_simulators_key_is_taken_there_where_clarion_sends_to_that_simulator(
    both: Both, clarion: Clarion
) -> None:
    file = str(clarion.key_file())
    assert both.here("firebase-apps", "add", file)[0] == 0
    code, _, errors = both.there("firebase-apps", "add", file)
    assert (code, "token_uri" in errors) == (5, True)


def test_who_has_done_it_is_the_key_and_not_the_operator(both: Both) -> None:
    both.there("workspace", "set", "--stale-after-days", "80")
    entry = json.loads(both.there("audit", "--limit", "1", "--json")[1])[0]
    assert (entry["actor"]["kind"], entry["actor"]["name"]) == ("api_key", "there")
    assert entry["request_id"]


@pytest.mark.parametrize("header", ["clarion_caller", "Clarion-Caller", "X-Clarion-Caller"])
def test_nobody_becomes_the_operator_by_what_they_send(both: Both, header: str) -> None:
    asked = urllib.request.Request(f"{both.url}/api/v1/keys", headers={header: "operator"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=PATIENCE)
    assert refused.value.code == 401


def test_a_look_makes_no_key_file(clarion: Clarion) -> None:
    for tokens in (("keys", "list"), ("audit",), ("firebase-apps", "list")):
        assert clarion(*tokens)[0] == 0
    assert not (clarion.home / "data" / "secret.key").exists()
    assert clarion("firebase-apps", "add", google_key(clarion))[0] == 0
    assert (clarion.home / "data" / "secret.key").exists()


def test_a_link_for_somebody_leads_to_where_clarion_runs(both: Both) -> None:
    code, out, _ = both.there("people", "invite", "cleo@example.com")
    assert (code, out.startswith(f"{both.url}/console/invitations/")) == (0, True)


def test_a_link_for_whoever_has_it_is_made_by_the_operator_alone(both: Both) -> None:
    assert both.here("people", "invite")[0] == 0
    code, _, errors = both.there("people", "invite")
    assert (code, errors.count("email is missing: only the operator")) == (5, 1)


def test_a_key_that_is_not_known_ends_with_two_and_the_cure(both: Both) -> None:
    code, _, errors = both.there("keys", "list", key="clk_unknown")
    assert (code, "CLARION_API_KEY" in errors, "clarion keys create" in errors) == (2, True, True)
    assert "clk_unknown" not in errors


def test_a_key_of_too_little_scope_ends_with_five_and_names_the_scope(both: Both) -> None:
    reader = json.loads(both.here("keys", "create", "reader", "--json")[1])["key"]
    code, _, errors = both.there("keys", "list", key=reader)
    assert (code, "the scope admin" in " ".join(errors.split())) == (5, True)
    assert both.there("workspace", "show", key=reader)[0] == 0


def test_a_key_of_another_workspace_than_the_one_that_is_named_is_told(both: Both) -> None:
    second = json.loads(both.here("workspaces", "create", "second", "--json")[1])
    code, _, errors = both.there("--workspace", "second", "keys", "list")
    assert (code, "default" in errors, "second" in errors) == (2, True, True)
    assert both.there("--workspace", "second", "keys", "list", key=second["key"])[0] == 0
    assert both.there("--workspace", second["id"], "keys", "list", key=second["key"])[0] == 0


# --- where nobody answers, or somebody else -------------------------------------------------


def elsewhere(monkeypatch: pytest.MonkeyPatch, url: str, key: str = "clk_key") -> None:
    monkeypatch.setenv("CLARION_URL", url)
    monkeypatch.setenv("CLARION_API_KEY", key)


def test_an_address_where_nobody_listens_ends_with_four_and_is_named(
    bare: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, "http://127.0.0.1:1")
    code, _, errors = bare("keys", "list", "--json")
    told = json.loads(errors)
    assert (code, told["code"]) == (4, "unavailable")
    assert "http://127.0.0.1:1" in told["message"] and "CLARION_URL" in told["message"]
    assert list(bare.home.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "key", "wrong"),
    [
        ("http://127.0.0.1:1", "", ["CLARION_API_KEY"]),
        ("", "clk_key", ["CLARION_URL"]),
        ("127.0.0.1:8080", "clk_key", ["CLARION_URL"]),
        ("https://shop.example/clarion", "clk_key", ["CLARION_URL"]),
        ("https://shop.example:port", "a key", ["CLARION_URL", "CLARION_API_KEY"]),
    ],
)
def test_an_address_and_a_key_that_can_not_be_are_told_at_once(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch, url: str, key: str, wrong: list[str]
) -> None:
    elsewhere(monkeypatch, url, key)
    code, _, errors = clarion("keys", "list", "--json")
    told = json.loads(errors)
    assert (code, told["code"]) == (2, "settings")
    assert [fault["field"] for fault in told["faults"]] == wrong


def test_a_command_that_can_work_here_alone_does_not_work_elsewhere_by_mistake(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, "http://127.0.0.1:1")
    code, _, errors = clarion("secrets", "check")
    assert (code, "CLARION_URL" in errors) == (2, True)


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Somebody at an address who answers the first call so, and what they were asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_one() -> None:
            near, _ = listener.accept()
            with near:
                data = b""
                while b"\r\n\r\n" not in data and (more := near.recv(65_536)):
                    data += more
                asked.append(data)
                near.sendall(answer)

        thread = threading.Thread(target=answer_one)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        thread.join(PATIENCE)


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "502 Bad Gateway"])
def test_what_answers_and_is_not_clarion_ends_with_four(
    bare: Clarion, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    page = f"HTTP/1.1 {status}\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"
    with answering(page.encode()) as (url, _):
        elsewhere(monkeypatch, url)
        code, _, errors = bare("keys", "list")
    assert (code, "is not Clarion's API" in " ".join(errors.split())) == (4, True)


def test_a_redirect_is_not_followed_with_the_key(
    bare: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(b"") as (other, asked_of_other):
        moved = f"HTTP/1.1 302 Found\r\nLocation: {other}/\r\nContent-Length: 0\r\n\r\n"
        with answering(moved.encode()) as (url, _):
            elsewhere(monkeypatch, url)
            assert bare("keys", "list")[0] == 4
        with socket.create_connection(("127.0.0.1", int(other.rpartition(":")[2]))) as ours:
            ours.sendall(b"ours\r\n\r\n")
            ours.recv(1)
    assert asked_of_other == [b"ours\r\n\r\n"]


def test_a_proxy_of_the_environment_is_asked(
    bare: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"data":[],"next": null }'
    page = page.replace(b"24", str(len(page.partition(b"\r\n\r\n")[2])).encode())
    with answering(page) as (proxy, asked):
        elsewhere(monkeypatch, "http://clarion.shop.example")
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert bare.json("keys", "list") == []
    assert asked[0].startswith(b"GET http://clarion.shop.example/api/v1/keys HTTP/1.1\r\n")


def test_ctrl_c_ends_a_command_whose_answer_does_not_come(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = _process(home, url, "-m", "clarion.cli", "keys", "list")
        near, _ = listener.accept()
        with near:
            assert near.recv(65_536).startswith(b"GET /api/v1/keys ")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 130


# --- what a command loads --------------------------------------------------------------------

HEAVY = ("alembic", "cryptography", "litestar", "sqlalchemy", "structlog", "uvicorn")
_LOADED = f"""
import sys
from clarion.cli import main
try:
    main()
except SystemExit:
    print(sorted(set({HEAVY!r}) & set(sys.modules)), "litestar" in sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "tokens",
    [
        (),
        ("--help",),
        ("keys", "list"),
        ("keys", "--help"),
        ("workspaces", "show"),
        ("people", "list"),
        ("audit",),
        ("firebase-apps", "list"),
        ("sources", "list"),
        ("sources", "tail"),
        ("sources", "--help"),
        ("customers", "show", "ada"),
        ("devices", "list"),
        ("campaigns", "list"),
        ("export", "customers"),
    ],
    ids=str,
)
def test_a_command_over_http_loads_neither_database_nor_web_framework(
    home: Path, tokens: tuple[str, ...]
) -> None:
    process = _process(home, "http://127.0.0.1:1", "-c", _LOADED, *tokens)
    _, errors = process.communicate(timeout=PATIENCE)
    assert errors.splitlines()[-1] == "[] False"


def test_a_command_on_this_machines_data_loads_what_it_needs(clarion: Clarion) -> None:
    """So that the test before this one can fail."""
    process = _process(clarion.home, None, "-c", _LOADED, "keys", "list")
    _, errors = process.communicate(timeout=PATIENCE)
    assert errors.splitlines()[-1].endswith("True")


def _process(
    home: Path, url: str | None, *arguments: str, key: str = "clk_key"
) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name[:8] != "CLARION_"}
    environment["CLARION_DATA_DIR"] = str(home / "data")
    if url is not None:
        environment |= {"CLARION_URL": url, "CLARION_API_KEY": key}
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
