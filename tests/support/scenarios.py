"""The acceptance scenarios of identity, S1–S20: the events, and what must be true in the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from clarion.events.messages.message import Event
from support.history import App

REMOVED = "removed"
FID = "cIsXk3vVRkCk8Hk0zq1abc"
OF_FID = f"{FID}:APA91bHun4"
"""A token of the same installation."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`owners`: message number → user id, or "key" / "key@minute" of an anonymous customer.
    `devices`: device id → (owner as above, token or REMOVED)."""

    name: str
    events: Sequence[Event]
    owners: dict[int, str]
    devices: dict[str, tuple[str, str]]
    traits: dict[str, dict[str, object]] = field(default_factory=dict)


def _scenario(
    name: str,
    write: Callable[[App], Sequence[Event]],
    owners: dict[int, str],
    devices: dict[str, tuple[str, str]],
    traits: dict[str, dict[str, object]] | None = None,
) -> Scenario:
    return Scenario(
        name=name, events=write(App()), owners=owners, devices=devices, traits=traits or {}
    )


def _wanted(status: str, key: str = "T1") -> dict[str, object]:
    """Twilio Engage's word on pushes to `key`."""
    entry = {"key": key, "type": "ANDROID_PUSH", "status": status}
    return {"messaging_subscriptions": [entry]}


SCENARIOS = [
    _scenario(
        "S1 a device registers, is used, and its person signs in",
        lambda app: [
            app.register(1, "D", token="T1"),
            app.track(2, user="D"),
            app.identify(3, "U", anon="D", traits={"email": "u@example.org"}),
            app.register(4, "D", user="U", token="T1"),
        ],
        {1: "U", 2: "U", 3: "U", 4: "U"},
        {"D": ("U", "T1")},
        {"U": {"email": "u@example.org"}},
    ),
    _scenario(
        "S2 the same without an identify",
        lambda app: [
            app.register(1, "D", token="T1"),
            app.track(2, user="D"),
            app.register(4, "D", user="U", token="T1"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S2b the same with an identify that names no device",
        lambda app: [
            app.register(1, "D", token="T1"),
            app.track(2, user="D"),
            app.identify(3, "U", traits={"plan": "gold"}),
            app.register(4, "D", user="U", token="T1"),
        ],
        {1: "U", 2: "U", 3: "U", 4: "U"},
        {"D": ("U", "T1")},
        {"U": {"plan": "gold"}},
    ),
    _scenario(
        "S3 the app is used before it registers",
        lambda app: [
            app.track(1, user="D"),
            app.register(2, "D", token="T1"),
            app.register(3, "D", user="U", token="T1"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S4 one signs out, another signs in",
        lambda app: [
            app.register(1, "D", token="T1"),
            app.register(2, "D", user="U", token="T1"),
            app.register(3, "D", token="T1"),
            app.track(4, user="D"),
            app.register(5, "D", user="V", token="T1"),
        ],
        {1: "U", 2: "U", 3: "V", 4: "V", 5: "V"},
        {"D": ("V", "T1")},
    ),
    _scenario(
        "S4b one signs out and nobody signs in",
        lambda app: [
            app.register(1, "D", token="T1"),
            app.register(2, "D", user="U", token="T1"),
            app.register(3, "D", token="T1"),
            app.track(4, user="D"),
        ],
        {1: "U", 2: "U", 3: "D@3", 4: "D@3"},
        {"D": ("D@3", "T1")},
    ),
    _scenario(
        "S5 an old registration arrives late",
        lambda app: [
            app.register(10, "D", user="U", token="T1"),
            app.register(5, "D", token="T1"),
        ],
        {1: "U", 2: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S6 a late event belongs to the owner of its time",
        lambda app: [
            app.register(1, "D", user="U", token="T1"),
            app.register(5, "D", token="T1"),
            app.register(9, "D", user="V", token="T1"),
            app.track(3, user="D"),
            app.track(7, user="D"),
            app.track(11, user="D"),
        ],
        {1: "U", 2: "V", 3: "V", 4: "U", 5: "V", 6: "V"},
        {"D": ("V", "T1")},
    ),
    _scenario(
        "S7 a token is refreshed and the old one arrives late",
        lambda app: [
            app.register(1, "D", user="U", token="T1"),
            app.register(5, "D", user="U", token="T2"),
            app.register(3, "D", user="U", token="T1"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T2")},
    ),
    _scenario(
        "S8 a reinstall brings a new device with a new token",
        lambda app: [
            app.register(1, "D1", user="U", token="T1"),
            app.register(5, "D2", token="T2"),
            app.register(6, "D2", user="U", token="T2"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D1": ("U", "T1"), "D2": ("U", "T2")},
    ),
    _scenario(
        "S9 a token turns up on another device",
        lambda app: [
            app.register(1, "D1", user="U", token="T1"),
            app.register(5, "D2", user="V", token="T1"),
        ],
        {1: "U", 2: "V"},
        {"D1": ("U", REMOVED), "D2": ("V", "T1")},
    ),
    _scenario(
        "S10 the former owner's deletion does not touch the next owner's device",
        lambda app: [
            app.register(1, "D", user="A", token="T"),
            app.event(4, "track", name="Device Deleted", user="A", context_device="D", token="T"),
            app.register(5, "D", user="B", token="T"),
        ],
        {1: "A", 2: "A", 3: "B"},
        {"D": ("B", "T")},
    ),
    _scenario(
        "S10b the owner's own deletion removes it",
        lambda app: [
            app.register(1, "D", user="A", token="T"),
            app.event(4, "track", name="Device Deleted", user="A", context_device="D", token="T"),
        ],
        {1: "A", 2: "A"},
        {"D": ("A", REMOVED)},
    ),
    _scenario(
        "S10c a deletion that the former owner sends after the device has moved",
        lambda app: [
            app.register(1, "D", user="A", token="T"),
            app.register(5, "D", user="B", token="T"),
            app.event(6, "track", name="Device Deleted", user="A", context_device="D", token="T"),
        ],
        {1: "A", 2: "B", 3: "A"},
        {"D": ("B", "T")},
    ),
    _scenario(
        "S11 an anonymous visitor signs in on the web",
        lambda app: [
            app.track(1, anon="A"),
            app.identify(2, "U", anon="A"),
            app.track(3, anon="A"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {},
    ),
    _scenario(
        "S12 two people use one anonymous id and nobody signs out",
        lambda app: [
            app.track(1, anon="A"),
            app.identify(2, "U", anon="A"),
            app.track(3, anon="A"),
            app.identify(4, "V", anon="A"),
            app.track(5, anon="A"),
        ],
        {1: "U", 2: "U", 3: "U", 4: "V", 5: "V"},
        {},
    ),
    _scenario(
        "S13 two identified people are never merged",
        lambda app: [
            app.identify(1, "U1", anon="A", traits={"email": "one@example.org"}),
            app.identify(2, "U2", anon="A", traits={"email": "two@example.org"}),
        ],
        {1: "U1", 2: "U2"},
        {},
        {"U1": {"email": "one@example.org"}, "U2": {"email": "two@example.org"}},
    ),
    _scenario(
        "S14 aliases between people, and to oneself, do nothing",
        lambda app: [
            app.identify(1, "U1", traits={"a": 1}),
            app.identify(2, "U2", traits={"b": 2}),
            app.alias(3, "U1", "U1"),
            app.alias(4, "U2", "U1"),
        ],
        {1: "U1", 2: "U2", 3: "U1", 4: "U2"},
        {},
        {"U1": {"a": 1}, "U2": {"b": 2}},
    ),
    _scenario(
        "S14b an alias from an anonymous id joins its past",
        lambda app: [app.track(1, anon="A"), app.alias(2, "U", "A"), app.track(3, anon="A")],
        {1: "U", 2: "U", 3: "U"},
        {},
    ),
    _scenario(
        "S17 events without a shared id stay apart",
        lambda app: [
            app.track(1, anon="A"),
            app.track(2, anon="B"),
            app.identify(3, "U"),
        ],
        {1: "A", 2: "B", 3: "U"},
        {},
    ),
    _scenario(
        "S18 a device id that is a person's user id absorbs nobody",
        lambda app: [
            app.identify(1, "X", traits={"email": "x@example.org"}),
            app.register(2, "X", token="T1"),
            app.register(3, "X", user="U", token="T1"),
            app.track(4, user="X"),
        ],
        {1: "X", 2: "X", 3: "U", 4: "X"},
        {"X": ("U", "T1")},
        {"X": {"email": "x@example.org"}},
    ),
    _scenario(
        "S19 the name of the event in any spelling",
        lambda app: [
            app.register(1, "D", user="U", token="T1", name="register push"),
            app.register(2, "D", user="U", token="T2", name="REGISTER_PUSH"),
            app.register(3, "D", user="U", token="T3", name=" Register  Push "),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T3")},
    ),
    _scenario(
        "S20 two devices, and one of them signs out",
        lambda app: [
            app.register(1, "D1", user="U", token="T1"),
            app.register(2, "D2", user="U", token="T2"),
            app.register(3, "D2", token="T2"),
        ],
        {1: "U", 2: "U", 3: "D2@3"},
        {"D1": ("U", "T1"), "D2": ("D2@3", "T2")},
    ),
    _scenario(
        "S21 a person who declines push stays anonymous, then signs in",
        lambda app: [
            app.track(1, anon="D"),
            app.identify(2, "D", anon="D", traits={"theme": "dark", "plan": "none"}),
            app.register(3, "D", token="T1"),
            app.identify(4, "U", anon="D", traits={"plan": "gold"}),
        ],
        {1: "U", 2: "U", 3: "U", 4: "U"},
        {"D": ("U", "T1")},
        {"U": {"theme": "dark", "plan": "gold"}},
    ),
    _scenario(
        "S22 an SDK tells its token before anybody signs in",
        lambda app: [
            app.told(1, "Device Token Retrieved", "D", anon="X", token="T1"),
            app.told(3, "Application Opened", "D", anon="X", token="T1"),
            app.identify(4, "U", anon="X", context_device="D", token="T1"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S22b what an SDK tells as another person moves the device",
        lambda app: [
            app.register(1, "D", user="U", token="T1"),
            app.told(5, "Registered for Push", "D", user="V", token="T2"),
            app.told(3, "Application Opened", "D", user="U", token="T1"),
        ],
        {1: "U", 2: "V", 3: "U"},
        {"D": ("V", "T2")},
    ),
    _scenario(
        "S23 an SDK deletes the device as one person and creates it as the next",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="A", token="T"),
            app.told(4, "Device Deleted", "D", user="A", token="T"),
            app.identify(5, "B", context_device="D", token="T"),
            app.told(6, "Device Created or Updated", "D", user="B", token="T"),
        ],
        {1: "A", 2: "A", 3: "B", 4: "B"},
        {"D": ("B", "T")},
    ),
    _scenario(
        "S23b an SDK refreshes a token by deleting the old one",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="A", token="T1"),
            app.told(4, "Device Deleted", "D", user="A", token="T1"),
            app.told(4.1, "Device Created or Updated", "D", user="A", token="T2"),
        ],
        {1: "A", 2: "A", 3: "A"},
        {"D": ("A", "T2")},
    ),
    _scenario(
        "S24 a token carried along after sign-out changes nothing",
        lambda app: [
            app.register(1, "D", user="U", token="T1"),
            app.told(5, "Application Opened", "D", anon="X", token="T2"),
            app.told(6, "Product Viewed", "D", anon="X", token="T2"),
        ],
        {1: "U", 2: "X", 3: "X"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S24b a token carried along by somebody who is signed in refreshes",
        lambda app: [
            app.register(1, "D", user="U", token="T1"),
            app.told(5, "Application Opened", "D", user="U", token="T2"),
            app.told(3, "Application Installed", "D", user="U", token="T1"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T2")},
    ),
    _scenario(
        "S25 an app is uninstalled, and installed again",
        lambda app: [
            app.register(1, "D", user="U", token="T1"),
            app.told(4, "Application Uninstalled", "D", user="U"),
            app.told(6, "Registered for Push", "D", user="U", token="T1"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S25b an app is uninstalled",
        lambda app: [
            app.register(1, "D", user="U", token="T1"),
            app.told(3, "Registered for Push", "D", user="U", token="T2"),
            app.told(4, "Application Uninstalled", "D"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", REMOVED)},
    ),
    _scenario(
        "S26 the identify of old registers by its traits",
        lambda app: [
            app.identify(2, "U", device="D", traits={"pushToken": "T1", "deviceType": "Android"}),
            app.register(1, "D", token="T0"),
            app.identify(3, "V", device="D", traits={"pushToken": "T1", "deviceType": "Android"}),
        ],
        {1: "U", 2: "U", 3: "V"},
        {"D": ("V", "T1")},
    ),
    _scenario(
        "S27 an app moves from tokens to installation ids",
        lambda app: [
            app.register(1, "D", user="U", token=OF_FID),
            app.register(5, "D", user="U", token=None, fid=FID),
            app.register(3, "D", user="U", token=OF_FID),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", FID)},
    ),
    _scenario(
        "S27b an app moves back to tokens",
        lambda app: [
            app.register(1, "D", user="U", token=OF_FID),
            app.register(5, "D", user="U", token=None, fid=FID),
            app.register(7, "D", user="U", token=OF_FID),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", OF_FID)},
    ),
    _scenario(
        "S27c one installation under two device ids is one device",
        lambda app: [
            app.register(1, "D1", user="U", token=OF_FID),
            app.register(5, "D2", user="V", token=None, fid=FID),
            app.register(3, "D1", user="U", token=f"{OF_FID}-2"),
        ],
        {1: "U", 2: "V", 3: "U"},
        {"D1": ("U", REMOVED), "D2": ("V", FID)},
    ),
    _scenario(
        "S27d the deletion of the token that a FID has replaced leaves the FID",
        lambda app: [
            app.register(1, "D", user="U", token=OF_FID),
            app.register(5, "D", user="U", token=None, fid=FID),
            app.told(6, "Device Deleted", "D", user="U", token=OF_FID),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", FID)},
    ),
    _scenario(
        "S27e the deletion of the FID does not bring back the token before it",
        lambda app: [
            app.register(1, "D", user="U", token=OF_FID),
            app.register(5, "D", user="U", token=None, fid=FID),
            app.told(6, "Device Deleted", "D", user="U", fid=FID),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", REMOVED)},
    ),
    _scenario(
        "S27f another installation with the same device id replaces the one before",
        lambda app: [
            app.register(1, "D", user="U", token=OF_FID),
            app.register(5, "D", user="V", token=None, fid=f"d{FID[1:]}"),
        ],
        {1: "U", 2: "V"},
        {"D": ("V", f"d{FID[1:]}")},
    ),
    _scenario(
        "S28 a person turns pushes off on a device, and on again",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="U", token="T1"),
            app.told(4, "Push Subscription Change", "D", user="U", context=_wanted("UNSUBSCRIBED")),
            app.told(6, "Push Subscription Change", "D", user="U", context=_wanted("SUBSCRIBED")),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S28b a person turns pushes off on a device",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="U", token="T1"),
            app.told(4, "Push Subscription Change", "D", user="U", context=_wanted("UNSUBSCRIBED")),
            app.told(3, "Push Subscription Change", "D", user="U", context=_wanted("SUBSCRIBED")),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", REMOVED)},
    ),
    _scenario(
        "S28c turned off by the APNs token, what FCM sends to waits for them to be turned on",
        lambda app: [
            app.register(1, "D", user="U", token="T1", platform="iOS"),
            app.told(
                4,
                "Push Subscription Change",
                "D",
                user="U",
                context=_wanted("SUBSCRIBED", "ab" * 32),
            ),
            app.told(
                5,
                "Push Subscription Change",
                "D",
                user="U",
                context=_wanted("UNSUBSCRIBED", "ab" * 32),
            ),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S29 an APNs token never takes the place of one that FCM can send to",
        lambda app: [
            app.register(1, "D", user="U", token="T1", platform="iOS"),
            app.register(5, "D", user="U", token="ab" * 32, platform="iOS"),
        ],
        {1: "U", 2: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S29b a deletion by the APNs token ends what FCM would send to",
        lambda app: [
            app.register(1, "D", user="U", token="T1", platform="iOS"),
            app.register(3, "D", user="U", token="ab" * 32, platform="iOS"),
            app.told(5, "Device Deleted", "D", user="U", token="ab" * 32),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", REMOVED)},
    ),
    _scenario(
        "S30 what is told after its owner's sign-out, by nobody, does not bring the device back",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="U", token="T1"),
            app.told(4, "Device Deleted", "D", user="U", token="T1"),
            app.told(6, "Device Created or Updated", "D", anon="X", token="T1"),
            app.told(8, "Device Token Retrieved", "D", anon="X", token="T2"),
        ],
        {1: "U", 2: "U", 3: "X", 4: "X"},
        {"D": ("U", REMOVED)},
    ),
    _scenario(
        "S30b it is the next one's who signs in",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="U", token="T1"),
            app.told(4, "Device Deleted", "D", user="U", token="T1"),
            app.told(6, "Device Created or Updated", "D", anon="X", token="T1"),
            app.identify(8, "V", anon="X", context_device="D"),
        ],
        {1: "U", 2: "U", 3: "V", 4: "V"},
        {"D": ("V", "T1")},
    ),
    _scenario(
        "S30c or its former owner's again, once that one is back",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="U", token="T1"),
            app.told(4, "Device Deleted", "D", user="U", token="T1"),
            app.told(6, "Device Created or Updated", "D", anon="X", token="T1"),
            app.track(8, user="U", context_device="D"),
        ],
        {1: "U", 2: "U", 3: "X", 4: "U"},
        {"D": ("U", "T1")},
    ),
    _scenario(
        "S30d a token refreshed after sign-out by nobody and no deletion keeps its owner reachable",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="U", token="T1"),
            app.told(4, "Device Deleted", "D", user="U", token="T1"),
            app.told(4.1, "Device Created or Updated", "D", user="U", token="T2"),
            app.told(6, "Device Token Retrieved", "D", anon="X", token="T3"),
        ],
        {1: "U", 2: "U", 3: "U", 4: "X"},
        {"D": ("U", "T3")},
    ),
    _scenario(
        "S31 at one instant a deletion comes before what registers",
        lambda app: [
            app.told(1, "Device Created or Updated", "D", user="U", token="T1"),
            app.told(4, "Device Deleted", "D", user="U", token="T2"),
            app.told(4, "Device Created or Updated", "D", user="U", token="T2"),
        ],
        {1: "U", 2: "U", 3: "U"},
        {"D": ("U", "T2")},
    ),
]
