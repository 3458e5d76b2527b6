"""Promise 2: the same set of events gives the same state, in whatever order, however often."""

import random
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.customers.devices.device import DeviceState
from clarion.customers.identity.identifier import Provisional, User, customer_id_of
from clarion.events.messages.message import Event
from support.book import WORKSPACE, Book
from support.history import DAY, App, asked
from support.sampling import examples, some_orders
from support.scenarios import FID, OF_FID, REMOVED, SCENARIOS, Scenario


def customer(label: str, users: set[str]) -> UUID:
    if label in users:
        return customer_id_of(WORKSPACE, User(label))
    key, _, minute = label.partition("@")
    since = DAY + timedelta(minutes=float(minute)) if minute else None
    return customer_id_of(WORKSPACE, Provisional(key, since))


def check(scenario: Scenario, book: Book) -> None:
    users = {"U", "V", "A", "B", "U1", "U2"} if "S11" not in scenario.name else {"U"}
    if scenario.name.startswith(("S12", "S14b", "S17")):
        users = {"U", "V"}
    users |= {"X"} if "S18" in scenario.name else set()
    state = book.state()
    assert state["owners"] == {
        f"m{number:02}": customer(label, users) for number, label in scenario.owners.items()
    }
    found = {
        device_id: (
            device.customer_id,
            device.current.token if device.state is DeviceState.ACTIVE else REMOVED,
        )
        for device_id, device in book.devices.items()
    }
    assert found == {
        device_id: (customer(owner, users), token)
        for device_id, (owner, token) in scenario.devices.items()
    }
    for label, traits in scenario.traits.items():
        assert state["customers"][customer(label, users)][0] == traits


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_order_and_doubling_ends_in_the_state_the_rules_say(scenario: Scenario) -> None:
    for order in some_orders(scenario.events, ORDERS):
        book = Book()
        for event in order:
            book.take([event])
            book.take([event])
        check(scenario, book)
        assert book.state() == taken_at_once(order).state()


def taken_at_once(events: tuple[Event, ...]) -> Book:
    book = Book()
    book.take([*events, *events])
    return book


ORDERS = 60
"""Of a scenario's, in `make test`; it has up to a thousand."""

KEYS = st.sampled_from(["D1", "D2", "A1"])
USERS = st.sampled_from(["U", "V", "W", "D1", "D2"])
DEVICES = st.sampled_from(["D1", "D2"])
TOKENS = st.sampled_from(["T1", OF_FID, f"{OF_FID}-2", "ab" * 32])
TOLD = st.sampled_from(
    ["Device Created or Updated", "Application Opened", "Device Deleted", "Application Uninstalled"]
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    app = App()
    events = []
    for _ in range(draw(st.integers(2, 9))):
        at = draw(st.integers(0, 12))
        match draw(st.sampled_from(["register", "track", "identify", "alias", "told", "open"])):
            case "register":
                token = draw(st.none() | TOKENS)
                fid = FID if token is None or draw(st.booleans()) else None
                platform = draw(st.sampled_from(["iOS", "Android"]))
                events.append(
                    app.register(
                        at,
                        draw(DEVICES),
                        user=draw(USERS),
                        token=token,
                        fid=fid,
                        platform=platform,
                    )
                )
            case "identify":
                traits = draw(
                    st.dictionaries(
                        st.sampled_from(["a", "email"]),
                        st.sampled_from([1, 2, None]),
                        max_size=2,
                    )
                )
                events.append(
                    app.identify(
                        at,
                        draw(USERS),
                        anon=draw(st.none() | KEYS),
                        traits=traits,
                        context=draw(st.sampled_from([{}, {"active": False}])),
                    )
                )
            case "alias":
                events.append(app.alias(at, draw(USERS), draw(KEYS)))
            case "told":
                events.append(
                    app.told(
                        at,
                        draw(TOLD),
                        draw(DEVICES),
                        user=draw(st.none() | USERS),
                        token=draw(st.none() | TOKENS),
                        fid=draw(st.none() | st.just(FID)),
                    )
                )
            case "open":
                events.append(
                    app.event(
                        at,
                        "track",
                        name="Application Opened",
                        user=draw(USERS),
                        context_device=draw(st.none() | KEYS),
                        anon=draw(KEYS),
                    )
                )
            case _:
                events.append(app.track(at, user=draw(st.none() | USERS), anon=draw(KEYS)))
    return [
        asked(event, is_signed=draw(st.booleans())) if draw(st.booleans()) else event
        for event in events
    ]


@settings(max_examples=examples(100), deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_any_history_converges_in_any_order_and_grouping(
    events: list[Event], chance: random.Random
) -> None:
    expected = taken_at_once(tuple(events)).state()
    for _ in range(4):
        order = [*events, *chance.sample(events, len(events) // 2)]
        chance.shuffle(order)
        book = Book()
        while order:
            size = chance.randint(1, 3)
            book.take(order[:size])
            order = order[size:]
        assert book.state() == expected
        book.make_anew()
        assert book.state() == expected, "as it is made of all events at once"


def test_a_signed_in_customers_next_event_reads_no_stored_claims() -> None:
    app = App()
    book = Book()
    book.take([app.identify(0, "U", anon="A")])
    for minute in range(1, 50):
        book.take([app.track(minute, user="U", anon="A")])
    assert book.claims_read == 0
