"""`clarion sources`: keys, limits, origins and identity secrets as people change them."""

import json
import subprocess
import sys

import pytest

from support.command import Clarion
from support.pages import ROOT


def test_a_key_is_rotated_retired_and_restored(clarion: Clarion) -> None:
    former = clarion.json("sources", "create", "app")["write_key"]
    made = clarion.json("sources", "rotate", "app")
    assert (made["state"], clarion.json("sources", "show", "app")["write_key"]) == (
        "stands",
        made["write_key"],
    )
    assert clarion.json("sources", "retire", "app", former)["state"] == "retired"
    assert clarion.json("sources", "restore", "app", former)["state"] == "stands"
    assert clarion.json("sources", "retire", "app", former, "--for", "30")["state"] == "ends"
    shown = clarion("sources", "show", "app")[1]
    assert former in shown
    assert made["write_key"] in shown
    code, _, errors = clarion("sources", "retire", "app", made["write_key"], "--json")
    assert (code, json.loads(errors)["code"]) == (5, "source_keys")
    assert clarion("sources", "retire", "app", "nothing")[0] == 3


def test_a_former_key_ends_with_the_days_that_rotation_gives_it(clarion: Clarion) -> None:
    clarion("sources", "create", "app")
    clarion.json("sources", "rotate", "app", "--for", "90")
    former, made = clarion.json("sources", "show", "app")["keys"]
    assert (former["state"], made["state"]) == ("ends", "stands")


def test_a_source_is_revoked_and_restored(clarion: Clarion) -> None:
    clarion("sources", "create", "app")
    assert clarion.json("sources", "revoke", "app")["revoked_at"] is not None
    assert clarion.json("sources", "restore", "app")["revoked_at"] is None


def test_a_new_source_is_limited_and_says_how_to_sign(clarion: Clarion) -> None:
    out = " ".join(clarion("sources", "create", "Web [shop]")[1].split())
    assert "may send 1,000 events a second, 20,000 at once" in out
    assert "clarion sources sign 'Web [shop]'" in out
    pace = {"events_per_second": 1_000, "burst": 20_000}
    assert clarion.json("sources", "create", "app")["rate_limit"] == pace
    assert {str(one["rate_limit"]) for one in clarion.json("sources", "list")} == {str(pace)}


def test_check_warns_of_sources_that_anybody_can_send_through(clarion: Clarion) -> None:
    def warned() -> list[tuple[str, str]]:
        found = json.loads(clarion("check", "--json")[1])
        warnings = [one for one in found if one["result"] == "warning"]
        sources = [warning for warning in warnings if warning["part"].startswith("source ")]
        return [(source["part"], source["detail"]) for source in sources]

    for name in ("open", "signed", "gone", "unlimited"):
        clarion("sources", "create", name)
    clarion("sources", "sign", "signed")
    clarion("sources", "sign", "unlimited")
    clarion("sources", "limit", "unlimited")
    clarion("sources", "revoke", "gone")
    told = warned()
    assert [part for part, _ in told] == ["source open", "source unlimited"]
    assert "clarion sources sign open" in told[0][1]
    assert "clarion sources limit unlimited 1000" in told[1][1]


def test_limits_and_origins_are_set_and_ended(clarion: Clarion) -> None:
    clarion("sources", "create", "app")
    limited = clarion.json("sources", "limit", "app", "100", "--burst", "300")
    assert limited["rate_limit"] == {"events_per_second": 100, "burst": 300}
    assert clarion.json("sources", "limit", "app", "10")["rate_limit"]["burst"] == 50
    assert clarion.json("sources", "limit", "app")["rate_limit"] is None
    origins = ("https://shop.example", "https://*.shop.example")
    told = clarion.json("sources", "origins", "app", "HTTPS://shop.example/", *origins)
    assert told["allowed_origins"] == list(origins)
    assert clarion.json("sources", "origins", "app")["allowed_origins"] == []


@pytest.mark.parametrize(
    "tokens",
    [
        ("limit", "app", "0"),
        ("limit", "app", "--burst", "5"),
        ("origins", "app", "shop.example"),
        ("rotate", "app", "--for", "-1"),
    ],
)
def test_what_can_not_be_is_a_wrong_argument(clarion: Clarion, tokens: tuple[str, ...]) -> None:
    clarion("sources", "create", "app")
    assert clarion("sources", *tokens)[0] == 2


def test_an_identity_secret_is_shown_once_and_signing_ends_plainly(clarion: Clarion) -> None:
    clarion("sources", "create", "app")
    made = clarion.json("sources", "sign", "app")
    assert made["secret"].startswith("cis_")
    assert made["secret"] not in clarion("sources", "show", "app", "--json")[1]
    assert clarion.json("sources", "list")[0]["signs_identity"] is True
    assert clarion("sources", "retire", "app", made["id"])[0] == 5
    assert clarion.json("sources", "unsign", "app")["signs_identity"] is False
    assert clarion.json("sources", "restore", "app", made["id"])["state"] == "stands"


def test_signatures_are_asked_for_when_people_say_so(clarion: Clarion) -> None:
    clarion("sources", "create", "app")
    clarion("sources", "sign", "app", "--ask-in", "60")
    assert clarion.json("sources", "show", "app")["signs_identity"] is False
    assert clarion.json("sources", "ask", "app")["signs_identity"] is True
    assert clarion.json("sources", "ask", "app", "--in", "7")["signs_identity"] is False


def test_the_example_makes_one_source_however_often_it_is_run(clarion: Clarion) -> None:
    script = ROOT / "examples" / "web" / "write_key.py"
    keys = [
        subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=True)
        for _ in range(2)
    ]
    (source,) = [one for one in clarion.json("sources", "list") if one["name"] == "Example page"]
    assert [key.stdout.strip() for key in keys] == [source["write_key"]] * 2
    assert clarion("sources", "revoke", "Example page")[0] == 0
    again = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, check=True)
    assert again.stdout.strip().decode() not in ("", source["write_key"])
