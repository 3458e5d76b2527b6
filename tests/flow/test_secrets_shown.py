"""What people named it is shown untouched everywhere; a token that Clarion knows nowhere."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from flow.test_import import take_in, written
from support.command import Clarion

FCM = "cIsXk3vVRkCk8Hk0zq1abc:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"
OPAQUE = "an-opaque-registration-token-0815"
APNS = "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad"
OWN = {
    "ref_id": "R-1", "staff_id": "S-1", "tariffId": "T-1", "pdf_id": "P-1", "cart_token": "c1",
    "checkout_token": "deadbeefdeadbeefdeadbeefdeadbeef", "token": "t", "fid": "LH 400",
    "nested": {"gift_token": "g", "list": [{"kfid": "k"}]},
}  # fmt: skip
SAID = {"note": f"it is {FCM}", "device": {"t": OPAQUE}, "apns": [APNS], FCM: 1}


@pytest.fixture
def shown(clarion: Clarion) -> Clarion:
    clarion.json("sources", "create", "app")
    register = [
        {"device_id": f"d{number}", "token": token, "platform": platform, "user_id": "u1"}
        for number, (token, platform) in enumerate(
            [(FCM, "Android"), (OPAQUE, "Web"), (APNS, "iOS")]
        )
    ]
    clarion.json("import", "devices", str(written(clarion.home, "d.ndjson", register)))
    events: list[dict[str, Any]] = [
        {"type": "identify", "userId": "u1", "traits": {**OWN, "said": SAID}},
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "u1",
            "messageId": "order",
            "properties": {**OWN, "said": SAID},
        },
        {"type": "nonsense", "userId": "u1", "messageId": "bad", "x": OPAQUE, "cart_token": "c1"},
    ]
    clarion.json("import", "events", str(written(clarion.home, "e.ndjson", events)))
    take_in(clarion.home)
    return clarion


def own(value: dict[str, object]) -> dict[str, object]:
    return {name: one for name, one in value.items() if name in OWN}


def test_own_words_come_back_untouched_and_no_token_is_shown(shown: Clarion) -> None:
    told = {
        what: shown.json(*what.split())
        for what in (
            "customers show u1",
            "customers list",
            "customers events u1",
            "customers timeline u1",
            "devices why d0",
        )
    }
    for what, answer in told.items():
        text = json.dumps(answer)
        assert not any(token in text for token in (FCM, OPAQUE, APNS)), what
    assert own(told["customers show u1"]["traits"]) == OWN
    order = next(one for one in told["customers events u1"] if one["message_id"] == "order")
    assert own(order["body"]["properties"]) == OWN

    file = shown.home / "u1.zip"
    assert shown("customers", "export", "u1", "--out", str(file))[0] == 0
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            assert not any(token in text for token in (FCM, OPAQUE, APNS)), name
        assert own(json.loads(archive.read("profile.json"))["traits"]) == OWN


@pytest.mark.parametrize("name", ["c.csv", "c.ndjson"])
def test_an_export_without_tokens_changes_no_trait_when_it_is_imported(
    shown: Clarion, name: str
) -> None:
    def real() -> list[dict[str, object]]:
        code, out, _ = shown("export", "customers", "--with-tokens")
        assert code == 0
        return [json.loads(line)["traits"] for line in out.splitlines()]

    before = real()
    file = Path(shown.home / name)
    code, _, errors = shown("export", "customers", "--out", str(file))
    assert (code, "--with-tokens" in " ".join(errors.split())) == (0, True)
    text = file.read_text()
    assert "fingerprint:" not in text
    assert not any(token in text for token in (FCM, OPAQUE, APNS))
    assert shown.json("import", "customers", str(file))["refused"] == 0
    take_in(shown.home)
    assert real() == before
    assert before[0]["said"] == SAID


def test_a_registration_whose_token_was_left_out_is_refused(shown: Clarion) -> None:
    for name in ("e2.ndjson", "e2.csv"):
        file = shown.home / name
        assert shown("export", "events", "--out", str(file))[0] == 0
        told = shown.json("import", "events", str(file))
        assert told["refused"] == 3
        assert "token_left_out" in Path(told["refused_file"]).read_text()
