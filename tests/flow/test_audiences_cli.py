"""`clarion audiences`: rules and lists from files, what is told of them, and what is refused."""

import json

from support.command import Clarion

GOLD = '{"trait": "plan", "test": "equals", "value": "gold"}'


def test_an_audience_lives_its_life_on_the_command_line(clarion: Clarion) -> None:
    file = clarion.home / "gold.json"
    file.write_text(GOLD)
    made = clarion.json("audiences", "create", "gold", "--name", "Gold", "--file", str(file))
    assert (made["code"], made["rule"]) == ("gold", json.loads(GOLD))
    changed = clarion.json("audiences", "edit", "gold", "--name", "Gold and up")
    assert (changed["name"], changed["rule"]) == ("Gold and up", json.loads(GOLD))
    counted = clarion.json("audiences", "count", "--rule", GOLD)
    assert counted["customers"] == 0
    _, out, _ = clarion("audiences", "count", "gold")
    assert out.startswith("0 customers.")
    campaign = clarion.json("campaigns", "create", "To gold", "--title", "Hi", "--audience", "gold")
    assert campaign["audience"] == {"audience": "gold"}
    code, _, err = clarion("audiences", "archive", "gold")
    assert code == 5 and "To gold" in err
    clarion("campaigns", "cancel", campaign["id"])
    assert clarion("audiences", "archive", "gold")[0] == 0
    assert clarion.json("audiences", "list") == []
    assert [one["code"] for one in clarion.json("audiences", "list", "--archived")] == ["gold"]


def test_what_is_wrong_is_told_by_its_place(clarion: Clarion) -> None:
    code, _, err = clarion("audiences", "create", "x", "--rule", '{"all": [{"trait": "a"}]}')
    assert code == 5 and "rule.all[0].test" in err
    assert clarion("audiences", "create", "x", "--rule", "{")[0] == 5
    assert clarion("audiences", "create", "x")[0] == 2
    assert clarion("audiences", "show", "absent")[0] == 3


def test_a_large_file_goes_over_in_parts_and_keeps_its_lines(clarion: Clarion) -> None:
    clarion("audiences", "create", "all", "--list")
    ids = [f"user-{number:06}-with-a-name-that-is-long" for number in range(7_000)]
    ids[6_500] = ""
    file = clarion.home / "all.csv"
    file.write_text("name,user_id\n" + "".join(f"x,{one}\n" for one in ids))
    report = clarion.json("audiences", "upload", "all", str(file))
    assert (report["rows"], report["members"], report["unmatched"]) == (7_000, 6_999, 6_999)
    assert [fault["field"] for fault in report["faults"]] == ["line 6502"]
    file.write_text("user-1\n")
    assert clarion.json("audiences", "upload", "all", str(file), "--replace")["members"] == 1
    _, out, _ = clarion("audiences", "upload", "all", str(file))
    assert "user-1" in out and "of no customer yet" in out
