"""What is proven claims and guards, what is not does neither, in whatever order they come."""

from itertools import permutations

import pytest

from clarion.customers.devices.device import DeviceState
from clarion.customers.identity.claims.claim import Claim, ClaimKind
from clarion.customers.identity.claims.extract import claims_of, sighted_flags
from clarion.customers.identity.identifier import Flags, Provisional, User, customer_id_of
from clarion.customers.identity.timeline import timeline
from clarion.events.messages.message import Event
from support.book import WORKSPACE, Book
from support.history import App, asked


def proven(event: Event) -> Event:
    return asked(event, is_signed=True)


def unproven(event: Event) -> Event:
    return asked(event, is_signed=False)


def test_only_what_is_proven_says_that_an_id_is_a_persons() -> None:
    event = App().track(0, user="U", device="D", anon="A")
    assert sighted_flags(proven(event)) == {
        "A": Flags(),
        "D": Flags(),
        "U": Flags(is_user=True, is_guarded=True),
    }
    assert sighted_flags(unproven(event)) == {"A": Flags(), "D": Flags(), "U": Flags()}
    assert sighted_flags(unproven(App().register(0, "U"))) == {"U": Flags()}


def test_what_is_not_proven_claims_nothing() -> None:
    app = App()
    event = app.track(0, user="U", device="D", anon="A", context_device="C")
    assert claims_of(unproven(event)) == []
    assert {one.key for one in claims_of(proven(event))} == {"D", "A", "C"}
    assert claims_of(unproven(app.track(0, anon="A", device="D"))) == []
    assert claims_of(unproven(app.identify(0, "D", device="D"))) == []


def test_a_device_that_registers_for_itself_says_that_nobody_is_signed_in() -> None:
    event = unproven(App().register(5, "D"))
    (claim,) = claims_of(event)
    assert (claim.key, claim.user_id, claim.kind) == ("D", "D", ClaimKind.SIGN_OUT)
    before = Claim(
        key="D",
        at=App().event(0, "track").at,
        message_id="m",
        user_id="U",
        kind=ClaimKind.REGISTRATION,
    )
    for is_real in (True, False):
        line = timeline([before, claim], lambda user, is_real=is_real: user == "U" or is_real)  # type: ignore[misc]
        assert line.device_owner("D") == Provisional("D", event.at)


APP = App()
HISTORY = {
    "a device before sign-in": unproven(APP.register(0, "D")),
    "its owner signs in": proven(APP.register(10, "D", user="U")),
    "somebody calls the owner a device": unproven(APP.track(20, anon="A", device="U")),
    "and so does a source that asks for nothing": APP.track(21, anon="A", device="U"),
    "somebody is seen with another device": unproven(APP.register(30, "D2", token="T2")),
    "and says to be the owner": unproven(APP.track(31, user="U", device="D2", anon="D2")),
}


@pytest.mark.parametrize("first", HISTORY)
def test_the_owner_keeps_the_device_in_every_order(first: str) -> None:
    rest = [event for name, event in HISTORY.items() if name != first]
    for order in permutations(rest):
        book = Book()
        for event in (HISTORY[first], *order):
            book.take([event])
        assert {
            key: (device.customer_id, device.state) for key, device in book.devices.items()
        } == {
            "D": (customer_id_of(WORKSPACE, User("U")), DeviceState.ACTIVE),
            "D2": (customer_id_of(WORKSPACE, Provisional("D2", None)), DeviceState.ACTIVE),
        }
        assert book.customer_of(book.events["m06"]) == customer_id_of(WORKSPACE, User("U"))
