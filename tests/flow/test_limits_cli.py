"""Limits and approvals on the command line."""

import json
from datetime import UTC, datetime, timedelta

from support.command import Clarion

CAMPAIGN = ("campaigns", "create", "Spring", "--title", "Hi", "--everyone")


def test_limits_are_set_and_shown(clarion: Clarion) -> None:
    caps = [{"pushes": 3, "days": 1}, {"pushes": 1, "hours": 4, "category": "news"}]
    night = {"start": "22:00", "end": "08:00"}
    changed = clarion.json(
        "workspaces", "set-limits", "--caps", json.dumps(caps), "--quiet-hours", json.dumps(night)
    )
    assert changed == clarion.json("workspaces", "limits")
    assert changed["caps"] == caps
    assert changed["quiet_hours"] == night | {"action": "hold"}
    file = clarion.home / "limits.json"
    file.write_text(json.dumps({"caps": [], "exclusions": {"user_ids": ["ada"]}}))
    changed = clarion.json("workspaces", "set-limits", "--file", str(file), "--quiet-hours", "null")
    assert (changed["caps"], changed["quiet_hours"]) == ([], None)
    assert changed["exclusions"] == {"user_ids": ["ada"]}


def test_limits_that_can_not_be_name_their_field(clarion: Clarion) -> None:
    assert clarion("workspaces", "set-limits")[0] == 2
    assert clarion("workspaces", "set-limits", "--caps", "[")[0] == 2
    assert clarion("workspaces", "set-limits", "--file", "nowhere.json")[0] == 3
    code, _, errors = clarion("workspaces", "set-limits", "--caps", '[{"pushes": 0, "days": 1}]')
    assert (code, "caps[0].pushes" in errors) == (5, True)


def test_a_forecast_tells_what_a_launch_would_do_and_does_nothing(clarion: Clarion) -> None:
    campaign_id = clarion.json(*CAMPAIGN)["id"]
    told = clarion.json("campaigns", "forecast", campaign_id, "--at", "now")
    assert (told["devices"], told["launches_now"]) == (0, True)
    code, shown, _ = clarion("campaigns", "forecast", campaign_id)
    assert (code, "Spring sends to 0 devices" in " ".join(shown.split())) == (0, True)
    assert clarion.json("campaigns", "show", campaign_id)["state"] == "draft"


def test_a_draft_keeps_when_it_is_meant_for_until_that_is_taken_away(clarion: Clarion) -> None:
    campaign_id = clarion.json(*CAMPAIGN)["id"]
    keep = ("campaigns", "keep-time", campaign_id)
    at = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT09:00}"
    kept = clarion.json(*keep, "--at", at, "--own-time")
    assert (kept["state"], kept["timing"]["at"]) == ("draft", at)
    assert "own_time" in kept["timing"]
    assert clarion.json(*keep, "--none")["timing"] is None
    assert clarion(*keep)[0] == clarion(*keep, "--none", "--at", "now")[0] == 2


def test_a_category_is_given_and_taken_away(clarion: Clarion) -> None:
    made = clarion.json(*CAMPAIGN, "--category", "news", "--transactional")
    assert (made["category"], made["transactional"]) == ("news", True)
    edit = ("campaigns", "edit", made["id"], "--category", "", "--no-transactional")
    edited = clarion.json(*edit)
    assert (edited["category"], edited["transactional"]) == (None, False)
    assert clarion("customers", "leave", "nobody", "news")[0] == 3


def test_a_campaign_is_proposed_and_not_approved_by_the_same(clarion: Clarion) -> None:
    assert clarion.json("workspaces", "set-limits", "--needs-approval")["needs_approval"] is True
    campaign_id = clarion.json(*CAMPAIGN)["id"]
    schedule = ("campaigns", "schedule", campaign_id, "--at", "now", "--yes", "--allow-empty")
    code, _, errors = clarion(*schedule)
    assert (code, "propose" in errors) == (5, True)
    proposed = clarion.json("campaigns", "propose", campaign_id, "--at", "now")
    assert clarion.json("campaigns", "approval", campaign_id) == proposed
    assert clarion("campaigns", "approval", campaign_id)[0] == 0
    approve = ("campaigns", "approve", campaign_id, "--fingerprint", proposed["fingerprint"])
    code, _, errors = clarion(*approve)
    assert (code, "Nobody approves" in errors) == (5, True)
    rejected = clarion.json("campaigns", "reject", campaign_id, "--comment", "Not yet.")
    assert (rejected["state"], rejected["comment"]) == ("rejected", "Not yet.")
