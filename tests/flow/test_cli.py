"""The `clarion` command as scripts use it: what it prints, and how it ends."""

import json
import re
import signal
import sqlite3
import stat
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clarion.cli import commands
from clarion.storage.migrate import NEWEST
from support.command import Clarion, serving
from support.patience import PATIENCE


def test_a_source_is_created_with_its_write_key(clarion: Clarion) -> None:
    made = clarion.json("sources", "create", "Android app")
    assert made["name"] == "Android app"
    assert made["write_key"]
    assert [one["id"] for one in clarion.json("sources", "list")] == [made["id"]]


def test_an_id_and_a_key_are_shown_whole_however_narrow_the_terminal(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    clarion("firebase-apps", "add", str(clarion.key_file("a-project-with-a-name")))
    made = clarion.json("sources", "create", "Android app with a long name")
    for shown in (clarion("sources", "list")[1], clarion("sources", "create", "again")[1]):
        assert made["firebase_app_id"] in shown
    listed = clarion("sources", "list")[1]
    assert made["id"] in listed
    assert made["write_key"] in listed
    assert made["name"] in listed


def test_no_line_of_a_table_ends_in_blanks(clarion: Clarion) -> None:
    clarion("sources", "create", "a name that is longer than the names of the other sources")
    clarion("sources", "create", "b")
    for tokens in (("sources", "list"), ("sources", "show", "b")):
        lines = clarion(*tokens)[1].splitlines()
        assert lines == [line.rstrip() for line in lines]


def test_a_name_that_several_sources_have_is_told_with_their_ids(clarion: Clarion) -> None:
    ids = [clarion.json("sources", "create", "Shop")["id"] for _ in range(2)]
    code, _, told = clarion("sources", "show", "Shop")
    assert code == 2
    assert all(one in told.replace("\n", "") for one in ids)


def test_a_key_is_shown_once_and_then_only_hinted_at(clarion: Clarion) -> None:
    made = clarion.json("keys", "create", "script", "--scope", "read")
    listed = clarion.json("keys", "list")
    assert made["key"].startswith("clk_")
    assert [one["id"] for one in listed] == [made["id"]]
    assert made["key"] not in json.dumps(listed)


def test_a_revoked_key_says_so(clarion: Clarion) -> None:
    made = clarion.json("keys", "create", "script")
    assert clarion("keys", "revoke", made["id"])[0] == 0
    assert clarion.json("keys", "list")[0]["revoked_at"] is not None


def test_a_firebase_app_is_added_from_a_simulators_key(clarion: Clarion) -> None:
    file = clarion.key_file()
    made = clarion.json("firebase-apps", "add", str(file))
    assert made["project_id"] == "shop"
    listed = clarion("firebase-apps", "list", "--json")[1]
    assert "PRIVATE KEY" not in listed
    assert json.loads(listed)[0]["id"] == made["id"]


def test_a_data_directory_is_for_its_owner_alone(bare: Clarion) -> None:
    bare.json("migrate")
    assert stat.S_IMODE((bare.home / "data").stat().st_mode) == 0o700


def test_a_key_file_is_for_its_owner_alone(clarion: Clarion) -> None:
    assert stat.S_IMODE(clarion.key_file().stat().st_mode) == 0o600


def test_a_first_firebase_app_takes_the_sources_that_have_none(clarion: Clarion) -> None:
    before = clarion.json("sources", "create", "before")
    app = clarion.json("firebase-apps", "add", str(clarion.key_file()))
    after = clarion.json("sources", "create", "after")
    assert after["firebase_app_id"] == app["id"]
    bound = {one["id"]: one["firebase_app_id"] for one in clarion.json("sources", "list")}
    assert bound == {before["id"]: app["id"], after["id"]: app["id"]}
    again = clarion.json("firebase-apps", "add", str(clarion.key_file()))
    assert (app["sources"], again["sources"]) == (["before"], ["before", "after"])


def test_with_two_firebase_apps_a_source_is_bound_by_name(clarion: Clarion) -> None:
    first, second = (
        clarion.json("firebase-apps", "add", str(clarion.key_file(name))) for name in ("one", "two")
    )
    assert clarion.json("sources", "create", "app")["firebase_app_id"] is None
    clarion.json("sources", "bind", "app", "two")
    assert clarion.json("sources", "list")[0]["firebase_app_id"] == second["id"] != first["id"]


def test_a_pace_is_told_with_its_quota_and_what_it_leaves_out(clarion: Clarion) -> None:
    clarion("firebase-apps", "add", str(clarion.key_file("one")))
    told = clarion("firebase-apps", "set", "one", "--pushes-per-minute", "1200000")[1]
    assert told == "✓ one sends up to 1,200,000 pushes a minute.\n"
    assert "peaks" in clarion("firebase-apps", "set", "one", "--avoid-peaks")[1]


def test_a_broken_service_account_is_refused_naming_the_field(clarion: Clarion) -> None:
    file = clarion.key_file()
    broken = json.loads(file.read_text()) | {"private_key": "not a key"}
    file.write_text(json.dumps(broken))
    code, _, errors = clarion("firebase-apps", "add", str(file), "--json")
    assert code == 5
    assert json.loads(errors)["faults"][0]["field"] == "private_key"


def test_a_paused_firebase_app_can_be_resumed(clarion: Clarion) -> None:
    clarion.json("firebase-apps", "add", str(clarion.key_file()))
    paused = clarion.json("firebase-apps", "pause", "shop", "--reason", "rotation")
    assert paused["paused_reason"] == "rotation"
    assert clarion.json("firebase-apps", "resume", "shop")["paused_reason"] is None


def test_a_key_of_another_project_than_meant_is_refused_with_both_named(clarion: Clarion) -> None:
    file = str(clarion.key_file("shop"))
    code, _, errors = clarion("firebase-apps", "add", file, "--project", "store")
    assert code == 5 and "shop" in errors and "store" in errors
    assert clarion.json("firebase-apps", "list") == []
    assert clarion.json("firebase-apps", "add", file, "--project", "shop")["project_id"] == "shop"


def test_the_report_says_why_a_campaign_waits(clarion: Clarion) -> None:
    at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    create = ("campaigns", "create", "Spring", "--title", "Hi", "--everyone")
    made = clarion.json(*create, "--at", at, "--allow-empty")
    clarion("campaigns", "pause", made["id"])
    [why] = clarion.json("campaigns", "report", made["id"])["waiting"]
    assert (why["waits_for"], why["reason"], why["until"]) == (
        "campaign_paused",
        "by a person",
        None,
    )
    told = clarion("campaigns", "report", made["id"])[1]
    assert "the campaign is paused (by a person)" in " ".join(told.split())


def test_a_campaign_goes_through_its_states(clarion: Clarion) -> None:
    made = clarion.json("campaigns", "create", "Spring", "--title", "Hello", "--everyone")
    assert made["state"] == "draft"
    later = "2099-01-01T00:00:00Z"
    assert clarion("campaigns", "schedule", made["id"], "--at", later)[0] == 5
    states = [
        clarion.json("campaigns", step, made["id"], *more)["state"]
        for step, *more in (
            ("schedule", "--at", "now", "--yes", "--allow-empty"),
            ("pause",),
            ("resume", "--yes"),
            ("cancel",),
        )
    ]
    assert states == ["scheduled", "paused", "scheduled", "cancelled"]
    assert clarion("campaigns", "resume", made["id"])[0] == 5
    assert clarion.json("campaigns", "list")[0]["state"] == "cancelled"


def test_a_campaign_is_read_from_a_file_and_flags_win(clarion: Clarion) -> None:
    file = clarion.home / "spring.json"
    file.write_text(
        json.dumps(
            {
                "name": "Spring",
                "content": {"title": "Hello", "data": {"a": "1"}},
                "audience": {"traits": {"plan": "pro"}},
            }
        )
    )
    made = clarion.json(
        "campaigns", "create", "--file", str(file), "--body", "Hi", "--trait", "age=5"
    )
    assert made["name"] == "Spring"
    assert (made["content"]["title"], made["content"]["body"]) == ("Hello", "Hi")
    assert made["audience"] == {"traits": {"age": 5}}


def test_everything_wrong_with_a_campaign_is_told_at_once(clarion: Clarion) -> None:
    code, _, errors = clarion(
        "campaigns", "create", "X", "--title", "{{ a | nofilter }}", "--ttl-seconds", "-1", "--json"
    )
    assert code == 5
    fields = {fault["field"] for fault in json.loads(errors)["faults"]}
    assert {"content.ttl_seconds", "audience"} <= fields


def test_a_push_too_large_for_fcm_is_refused_when_created(clarion: Clarion) -> None:
    code, _, errors = clarion(
        "campaigns", "create", "X", "--body", "x" * 3900, "--data", "a=" + "y" * 900, "--everyone"
    )
    assert code == 5
    assert "content.body" in errors


def test_the_report_of_a_draft_is_empty_and_balances(clarion: Clarion) -> None:
    made = clarion.json("campaigns", "create", "Spring", "--title", "Hello", "--everyone")
    report = clarion.json("campaigns", "report", made["id"])
    assert (report["planned"], report["in_flight"], report["balances"]) == (0, 0, True)


@pytest.mark.parametrize(
    "tokens",
    [
        ("customers", "show", "nobody"),
        ("customers", "events", "nobody"),
        ("customers", "timeline", "nobody"),
        ("customers", "export", "nobody", "--out", "nobody.zip"),
        ("customers", "erase", "nobody", "--yes"),
        ("customers", "suppress", "nobody", "--yes"),
        ("customers", "unsuppress", "nobody"),
        ("customers", "merge", "nobody", "nothing", "--yes"),
        ("customers", "unmerge", "nobody"),
        ("devices", "show", "nothing"),
        ("devices", "history", "nothing"),
        ("campaigns", "show", "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"),
        ("campaigns", "show", "no-id"),
        ("campaigns", "preview", "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"),
        ("campaigns", "edit", "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70", "--title", "x"),
        ("keys", "revoke", "no-id"),
        ("sources", "revoke", "nothing"),
        ("firebase-apps", "add", "nowhere.json"),
        ("firebase-apps", "pause", "nothing"),
    ],
)
def test_what_is_not_there_ends_with_three(clarion: Clarion, tokens: tuple[str, ...]) -> None:
    code, out, errors = clarion(*tokens, "--json")
    assert code == 3
    assert out == ""
    assert json.loads(errors)["success"] is False


@pytest.mark.parametrize(
    "tokens",
    [
        ("nonsense",),
        ("sources", "create"),
        ("customers", "erase", "somebody"),
        ("customers", "suppress", "somebody"),
        ("customers", "merge", "somebody", "another"),
        ("devices", "list", "--limit", "many"),
        ("devices", "list", "--limit=-1"),
        ("campaigns", "list", "--limit", "0"),
        ("customers", "find", "x", "--limit", "99999999999999999999"),
        ("customers", "merges", "--limit=-5"),
        ("customers", "timeline", "x", "--limit", "99999999999999999999"),
        ("customers", "events", "x", "--before", "99999999999999999999"),
        ("customers", "events", "x", "--before=-1"),
        ("run",),
        ("run", "nobody"),
        ("keys", "create", "x", "--scope", "root"),
        ("campaigns", "create", "x", "--data", "nosign"),
        ("campaigns", "schedule", "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"),
        ("simulator", "--listen", "here"),
    ],
)
def test_a_wrong_argument_ends_with_two(clarion: Clarion, tokens: tuple[str, ...]) -> None:
    assert clarion(*tokens)[0] == 2


def test_wrong_settings_end_with_two_and_are_all_named(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLARION_LISTEN", "nowhere")
    monkeypatch.setenv("CLARION_DATABSE_URL", "x")
    code, _, errors = clarion("sources", "list")
    assert code == 2
    assert "CLARION_LISTEN" in errors
    assert "CLARION_DATABASE_URL?" in errors


def test_a_lost_database_ends_with_four(clarion: Clarion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLARION_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert clarion("sources", "list")[0] == 4


@pytest.mark.parametrize("tokens", [("serve",), ("migrate",), ("simulator",)])
def test_a_data_directory_that_can_not_be_made_is_named(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch, tokens: tuple[str, ...]
) -> None:
    file = clarion.home / "file"
    file.write_text("no directory")
    monkeypatch.setenv("CLARION_DATA_DIR", str(file / "data"))
    monkeypatch.delenv("CLARION_DATABASE_URL", raising=False)
    code, _, errors = clarion(*tokens)
    assert (code, "can not be used: Not a directory" in " ".join(errors.split())) == (1, True)


@pytest.mark.parametrize(
    "tokens",
    [
        ("sources", "list"), ("sources", "create", "app"), ("customers", "show", "u"),
        ("sources", "tail", "app", "--no-follow"), ("keys", "create", "k"),
        ("import", "customers", "c.csv"),
    ],
    ids=str,
)  # fmt: skip
def test_where_nobody_has_started_clarion_a_command_says_so_and_makes_nothing(
    bare: Clarion, tokens: tuple[str, ...]
) -> None:
    (bare.home / "c.csv").write_text("userId\nu\n")
    code, _, errors = bare(*tokens)
    said = " ".join(errors.split())
    assert code == 3
    assert "There is no Clarion here" in said
    assert "CLARION_DATA_DIR" in said
    assert [one.name for one in bare.home.iterdir()] == ["c.csv"]


def test_a_database_of_another_program_is_told_from_one_that_is_away(
    bare: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = bare.home / "shop.db"
    monkeypatch.setenv("CLARION_DATABASE_URL", f"sqlite:///{file}")
    for statement, told in (
        ("CREATE TABLE events (a)", "tables that are not Clarion's: events"),
        ("CREATE TABLE alembic_version AS SELECT 'abc' version_num", "revision abc"),
        (f"UPDATE alembic_version SET version_num = '{NEWEST}'", "is not there"),  # noqa: S608
    ):
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(statement)
        for tokens in (("sources", "list"), ("migrate",)):
            code, _, errors = bare(*tokens)
            assert (code, told in " ".join(errors.split())) == (1, True)
        code, out, _ = bare("check")
        assert "another version of Clarion, or of another program" in out


def test_a_simulators_key_leads_to_where_pushes_can_go(bare: Clarion) -> None:
    out = str(bare.home / "shop.json")
    for url in ("ftp://x", "https://", "nowhere", "http://fcm.example"):
        code, _, errors = bare("simulator", "key", "--project", "p", "--out", out, "--url", url)
        assert (code, "--url must be https" in " ".join(errors.split())) == (2, True)
        assert not Path(out).exists()


def test_empty_lists_are_empty_arrays(clarion: Clarion) -> None:
    for group in ("customers", "devices", "campaigns", "sources", "keys", "firebase-apps"):
        assert clarion.json(group, "list") == []


def test_migrate_makes_the_first_credentials_once(clarion: Clarion) -> None:
    first = clarion.json("migrate")
    again = clarion.json("migrate")
    assert first["write_key"] and first["key_file"]
    assert (again["write_key"], again["key"], again["key_file"]) == (None, None, None)


def test_a_role_needs_a_migrated_database(bare: Clarion) -> None:
    code, _, errors = bare("run", "sweeper")
    assert code == 1
    assert "clarion migrate" in errors


def test_check_tells_what_is_wrong(clarion: Clarion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLARION_FCM_URL", "https://127.0.0.1:1")
    assert clarion("migrate")[0] == 0
    code, out, _ = clarion("check", "--json")
    results = {load["part"]: load["result"] for load in json.loads(out)}
    assert code == 1
    assert results["FCM"] == "wrong"
    assert results["database"] == results["broker"] == results["settings"] == "ok"
    assert results["disk"] == "ok"
    monkeypatch.setenv("CLARION_DISK_FREE_MIN", "9000000TB")
    findings = json.loads(clarion("check", "--json")[1])
    (disk,) = [finding for finding in findings if finding["part"] == "disk"]
    assert disk["result"] == "wrong"
    assert "CLARION_DISK_FREE_MIN" in disk["detail"]


VERBS = ("serve", "run", "demo", "migrate", "check", "simulator")
GROUPS = ("keys", "sources", "firebase-apps", "customers", "devices", "campaigns")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(clarion: Clarion, verb: str) -> None:
    code, out, _ = clarion(verb, "--help")
    assert code == 0
    assert "For example:" in out


@pytest.mark.parametrize("group", GROUPS)
def test_every_command_of_a_group_has_help_with_examples(clarion: Clarion, group: str) -> None:
    assert clarion(group, "--help")[0] == 0
    for name in commands[group].resolved_commands():
        if not name.startswith("-"):
            assert "For example:" in clarion(group, name, "--help")[1], name


@pytest.mark.parametrize("group", GROUPS)
def test_the_overview_of_a_group_says_what_each_command_does(
    clarion: Clarion, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    _, out, _ = clarion(group, "--help")
    for name in commands[group]:
        if not name.startswith("-"):
            assert re.search(rf"{name} +[A-Z]", out), name


def test_the_overview_shows_every_verb_and_group(clarion: Clarion) -> None:
    _, out, _ = clarion("--help")
    assert all(name in out for name in VERBS + GROUPS)
    assert "Exit codes" in out


def test_a_first_start_prints_credentials_once_and_sigterm_ends_it_in_order(home: Path) -> None:
    with serving(home, real=True) as (url, printed, process):
        with urllib.request.urlopen(f"{url}/livez", timeout=PATIENCE) as reply:
            assert reply.status == 200
        with urllib.request.urlopen(f"{url}/metrics", timeout=PATIENCE) as reply:
            assert b'clarion_jobs{kind="events"} 0.0' in reply.read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
    assert not any("clk_" in line for line in printed)  # a pipe, as a service manager's journal
    assert any("first-api-key" in line for line in printed)
    with serving(home) as (_, printed, process):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0
    assert not any("clk_" in line for line in printed)


def test_a_taken_address_ends_with_four(
    clarion: Clarion, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(home) as (url, _, _):
        monkeypatch.setenv("CLARION_LISTEN", url.removeprefix("http://"))
        code, _, errors = clarion("serve")
        assert code == 4
        assert "CLARION_LISTEN" in errors


def test_the_workspace_is_given_a_time_zone(clarion: Clarion) -> None:
    assert clarion("workspace", "set", "--time-zone", "Europe/Vienna")[0] == 0
    assert clarion.json("workspace", "show")["time_zone"] == "Europe/Vienna"
    assert clarion("workspace", "set", "--time-zone", "Vienna")[0] == 5
    assert clarion.json("workspace", "show")["time_zone"] == "Europe/Vienna"


def test_an_empty_base_has_nothing_to_sweep(clarion: Clarion) -> None:
    assert clarion.json("devices", "freshness")["cohorts"] == []
    clarion("workspace", "set", "--stale-after-days", "90")
    assert clarion.json("workspace", "show")["stale_after_days"] == 90
    stale = clarion.json("devices", "stale", "--in-days", "7")
    assert (stale["stale_after_days"], stale["devices"], stale["listed"]) == (90, 0, [])
    assert clarion.json("devices", "swept") == {"days": [], "listed": []}


@pytest.mark.parametrize("days", ["0", "366", "many"])
def test_a_number_of_days_nobody_can_mean_is_refused(clarion: Clarion, days: str) -> None:
    assert clarion("workspace", "set", "--stale-after-days", days)[0] == 2
    assert clarion.json("workspace", "show")["stale_after_days"] == 60
