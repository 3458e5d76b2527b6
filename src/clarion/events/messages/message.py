"""One event as an app sent it, read and normalised: Segment's spec, with rule R0 for its ids.
Pure.

Pure. Nothing here raises for what an app can send: an event is read, or refused with a code, a
reason and the cure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from clarion.events.messages.excerpt import unreadable
from clarion.events.messages.identifiers import has_number, printed_ids, usable_id
from clarion.events.messages.installation import named_device
from clarion.events.messages.json_limits import is_nested_too_deeply
from clarion.events.messages.proof import Proof
from clarion.events.messages.reserved import PUSH_NAMES, plain_name
from clarion.events.messages.timestamps import EventTimes, Times, in_order, parse_time, times_of
from clarion.events.messages.yes_or_no import says_no, yes_or_no
from clarion.ingest_log.rejection import RejectedEvent

NAME_CHARACTERS_MAX = 1_000
_MICROSECOND = timedelta(microseconds=1)

TIME_UNREADABLE = "time_unreadable"
TIME_IMPOSSIBLE = "time_impossible"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A normalised event. Ids are None where absent, blank, blocked or too long (R0)."""

    message_id: str
    type: str
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    device_id: str | None
    """`properties.deviceId`, or what stands for it (`installation.named_device`)."""
    context_device_id: str | None
    at: datetime
    """When it happened, by the server's clock: corrected for the device's."""
    clock_at: datetime | None = None
    """When it happened, by the clock of whoever sent it and the place in its call; None: it tells
    no time (`moment`)."""
    order_at: datetime | None = None
    """What decides which of two events is later, where that is neither `clock_at` nor `at`."""
    received_at: datetime
    traits: Mapping[str, Any]
    """What an identify says; empty for every other type."""
    properties: Mapping[str, Any]
    context: Mapping[str, Any]
    body: str
    """The JSON as it came, with the call's context in its own."""
    time_fault: str | None = None
    """Why the time it gives was not used."""
    proof: Proof | None = None
    """What is known of its userId; None: its source does not ask, and it is taken at its word."""

    @property
    def ordered_at(self) -> datetime:
        """Of two events, whoever sent them, the one with the greater of these is the later one."""
        return self.order_at or self.clock_at or self.at

    @property
    def claimed_at(self) -> datetime:
        """Where it stands among the events of its installation: by that one's own clock."""
        return self.clock_at or self.order_at or self.at

    @property
    def is_clock_wrong(self) -> bool:
        """Whether it tells a time that its sender's clock can not have right."""
        return self.clock_at is not None and self.order_at is not None

    @property
    def clock_ahead(self) -> int | None:
        """By how many µs its sender's clock was ahead when it came; less than 0: it came later than
        that clock says it happened. None: it tells no time."""
        return None if self.clock_at is None else ahead(self.clock_at, self.received_at)

    @property
    def is_active(self) -> bool:
        """Whether the person was there: an identify can say that only something about them was
        told (Segment's `context.active`)."""
        return self.type != "identify" or _is_active(self.context)

    def __repr__(self) -> str:
        """Names it, and shows nothing of it: properties hold tokens."""
        return f"Event(message_id={self.message_id!r}, type={self.type!r})"


def ahead(clock_at: datetime, received_at: datetime) -> int:
    """`Event.clock_ahead`, of its times."""
    return (clock_at - received_at) // _MICROSECOND


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a call says of all its events."""

    received_at: datetime
    sent_at: datetime | None
    context: Mapping[str, msgspec.Raw] = msgspec.field(default_factory=dict)
    """Counts for every event of the call, below what the event says itself."""
    ip: str | None = None
    """The caller's, for events that come straight from a person's device and say so."""


class _WireTraits(msgspec.Struct):
    context: Any = None
    traits: Any = None


_wire = msgspec.json.Decoder(dict[str, Any])
_wire_traits = msgspec.json.Decoder(_WireTraits)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read(
    raw: bytes, *, type_: str, message_id: str, envelope: Envelope, proof: Proof | None = None
) -> Event | RejectedEvent:
    """The event in `raw`, which `check` has let pass; refused where a part that `check` does not
    look at can not be read."""
    try:
        if is_nested_too_deeply(raw):
            raise RecursionError
        if envelope.context:
            raw = _within(envelope.context, raw)
        wire = _wire.decode(raw)  # all of it, as everybody who reads the body later will
        if envelope.ip is not None and yes_or_no(_object(wire.get("context")).get("direct")):
            raw = _within({"ip": msgspec.Raw(msgspec.json.encode(envelope.ip))}, raw)
            wire = _wire.decode(raw)
        body = raw.decode()
    except (ValueError, RecursionError) as error:
        return unreadable(message_id, error, raw)
    say = wire.get
    context, properties = _object(say("context")), _object(say("properties"))
    traits = _traits(say("traits"), context) if type_ == "identify" else {}
    name = event_name(say("event" if type_ == "track" else "name"))
    device_id, context_device_id = device_ids(properties, context)
    sent_at = parse_time(say("sentAt")) or envelope.sent_at
    at, clock_at, order_at = times_of(
        parse_time(say("originalTimestamp")),
        parse_time(say("timestamp")),
        sent_at,
        envelope.received_at,
    )
    user_id, anonymous_id, previous_id = say("userId"), say("anonymousId"), say("previousId")
    if has_number(device_id, context_device_id, user_id, anonymous_id, previous_id):
        shown = printed_ids(raw)
        user_id, anonymous_id, previous_id = shown.userId, shown.anonymousId, shown.previousId
        device_id, context_device_id = device_ids(shown.properties, shown.context)
    user_id = usable_id(user_id)
    is_device = proof is Proof.DEVICE
    names_device = type_ == "identify" or plain_name(name) in PUSH_NAMES
    if device_id is None and names_device and not is_device:
        device_id = named_device(type_, name, properties, traits, context)
    return Event(
        message_id=message_id,
        type=type_,
        name=name,
        user_id=None if is_device else user_id,
        anonymous_id=usable_id(anonymous_id),
        previous_id=usable_id(previous_id),
        device_id=usable_id(device_id) or (user_id if is_device else None),
        context_device_id=usable_id(context_device_id),
        at=at,
        clock_at=clock_at,
        order_at=order_at,
        received_at=envelope.received_at,
        traits=traits,
        properties=properties,
        context=context,
        body=body,
        time_fault=_time_fault(wire, clock_at) if at is envelope.received_at else None,
        proof=proof,
    )


def tell_apart(events: Sequence[Event], first_place: int = 0) -> None:
    """Let the events of one call, just read, keep the order of their places where their times say
    nothing of it. `first_place`: how many events of the call stand before these."""
    if first_place == 0 and _are_apart(events):
        return
    placed = [
        EventTimes(
            event.device_id or event.context_device_id or event.anonymous_id or event.user_id,
            Times(event.at, event.clock_at, event.order_at),
        )
        for event in events
    ]
    for event, times in zip(events, in_order(placed, first_place), strict=True):
        msgspec.structs.force_setattr(event, "clock_at", times.clock_at)
        msgspec.structs.force_setattr(event, "order_at", times.order_at)


def _are_apart(events: Sequence[Event]) -> bool:
    """Whether each tells a time of its own: then their place in the call says nothing more."""
    if len(events) < 2:
        return True
    clocks = {event.clock_at for event in events}
    if len(clocks) < len(events) or None in clocks:
        return False
    return all(event.order_at is None for event in events)


class Identified(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a stored identify says."""

    traits: Mapping[str, Any]
    is_active: bool
    """The person was there."""
    context_device_id: str | None


def context_device_of(body: str) -> str | None:
    """`Event.context_device_id` of a stored event."""
    _, device_id = device_ids(None, _wire_traits.decode(body).context)
    if has_number(device_id):
        _, device_id = device_ids(None, printed_ids(body.encode()).context)
    return usable_id(device_id)


def read_identify(body: str) -> Identified:
    """A stored identify."""
    wire = _wire_traits.decode(body)
    context = _object(wire.context)
    return Identified(
        traits=_traits(wire.traits, context),
        is_active=_is_active(context),
        context_device_id=context_device_of(body),
    )


def _within(context: Mapping[str, msgspec.Raw], raw: bytes) -> bytes:
    """The event in its call's context; where both say something, the event counts."""
    members = _members.decode(raw)
    own = members.get("context")
    said = _members.decode(own) if own is not None and bytes(own).startswith(b"{") else {}
    return msgspec.json.encode(
        {**members, "context": msgspec.Raw(msgspec.json.encode({**context, **said}))}
    )


def device_ids(properties: Any, context: Any) -> tuple[Any, Any]:
    """(`properties.deviceId`, `context.device.id`), as they came."""
    device_id = None
    if type(properties) is dict:
        device_id = properties.get("deviceId")
        if device_id is None:
            device_id = properties.get("device_id")
    device = context.get("device") if type(context) is dict else None
    return device_id, device.get("id") if type(device) is dict else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if type(value) is dict else {}


def _traits(root: Any, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Root traits, or `context.traits` where there are none (RudderStack sends only those)."""
    return _object(root) or _object(context.get("traits"))


def _is_active(context: Mapping[str, Any]) -> bool:
    return not says_no(context.get("active"))


def _time_fault(wire: Mapping[str, Any], given: datetime | None) -> str | None:
    """Why an event counts as having happened when it came: it gives a time that is none, or one
    that can not be."""
    if given is not None:
        return TIME_IMPOSSIBLE
    said = wire.get("originalTimestamp") or wire.get("timestamp")
    return TIME_UNREADABLE if said else None


def event_name(value: Any) -> str | None:
    """An event's or a page's name, or None."""
    if type(value) is not str:
        return None
    return value.strip()[:NAME_CHARACTERS_MAX] or None
