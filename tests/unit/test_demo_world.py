"""The demo's story keeps its own books right."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from clarion.cli.demo.world import DAYS, DEVICES, Verb, World, make_world

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_world(seed: int = 1) -> World:
    return make_world(NOW, seed, scale=0.1)


def test_one_seed_tells_one_story() -> None:
    assert [call.message_id for call in a_world().calls] == [
        call.message_id for call in a_world().calls
    ]
    assert [device.token for device in a_world(1).devices] != [
        device.token for device in a_world(2).devices
    ]


def test_the_story_lies_within_its_month() -> None:
    times = [call.at for call in a_world().calls]
    assert NOW - timedelta(days=DAYS) <= min(times)
    assert max(times) < NOW


def test_every_call_happens_once() -> None:
    world = a_world()
    assert len({call.message_id for call in world.calls}) == len(world.calls)
    assert {call.message_id for call in world.repeats} <= {call.message_id for call in world.calls}


def test_the_last_registration_of_a_device_is_its_owner_and_token() -> None:
    world = a_world()
    last: dict[str, tuple[datetime, str, str | None]] = {}
    for call in world.calls:
        if call.name == "Register Push":
            device_id, token = call.fields["deviceId"], call.fields["fcmToken"]
            if device_id not in last or last[device_id][0] < call.at:
                last[device_id] = (call.at, token, call.user_id)
    assert {name: facts[1:] for name, facts in last.items()} == {
        device.device_id: (device.token, device.owner.user_id if device.owner else device.device_id)
        for device in world.devices
    }


def test_everybody_who_signs_in_is_identified() -> None:
    world = a_world()
    identified = {call.user_id for call in world.calls if call.verb is Verb.IDENTIFY}
    assert identified == {person.user_id for person in world.people}


def test_people_who_decline_push_name_no_device() -> None:
    world = a_world()
    registered = {call.fields.get("deviceId") for call in world.calls}
    declined = {
        call.anonymous_id
        for call in world.calls
        if call.name == "Application Installed" and call.anonymous_id not in registered
    }
    assert len(declined) == 35
    assert not any(call.user_id in declined for call in world.calls)


def test_devices_change_hands_and_are_signed_out() -> None:
    world = a_world()
    owners = Counter(
        (call.fields["deviceId"], call.user_id)
        for call in world.calls
        if call.name == "Register Push" and call.user_id != call.fields["deviceId"]
    )
    hands = Counter(device_id for device_id, _ in owners)
    assert sum(count > 1 for count in hands.values()) >= 20
    assert sum(device.owner is None for device in world.devices) == 60


def test_scale_shrinks_everything_alike() -> None:
    world = a_world()
    assert len(world.devices) == DEVICES // 10
    assert world.customers == 500
    assert 0 < world.count_tokens("dead-") <= 24
