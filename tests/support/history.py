"""Short ways to write down what an app sends: `at(10).register(D, user=U, token=T)`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from clarion.events.messages.message import Event
from clarion.events.messages.proof import Proof
from clarion.events.messages.reserved import PUSH_NAMES, plain_name

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class App:
    """An app that numbers its messages, so that the same calls give the same events."""

    prefix: str = "m"
    count: int = 0

    def event(
        self,
        at: float,
        kind: str,
        *,
        name: str | None = None,
        user: str | None = None,
        anon: str | None = None,
        device: str | None = None,
        context_device: str | None = None,
        previous: str | None = None,
        traits: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
        token: str | None = None,
        fid: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> Event:
        """`token` and `fid` are those that an SDK carries along in `context.device`."""
        self.count += 1
        message_id = f"{self.prefix}{self.count:02}"
        context = dict(context or {})
        if context_device is not None:
            context["device"] = {
                "id": context_device,
                "type": "android",
                "token": token,
                "fid": fid,
                **context.get("device", {}),
            }
        moment = DAY + timedelta(minutes=at)
        properties = dict(properties or {})
        if device is not None:
            properties["deviceId"] = device
        return Event(
            message_id=message_id,
            type=kind,
            name=name,
            user_id=user,
            anonymous_id=anon,
            previous_id=previous,
            device_id=device,
            context_device_id=context_device,
            at=moment,
            received_at=moment,
            traits=traits or {},
            properties=properties,
            context=context,
            body=msgspec.json.encode(
                {"type": kind, "traits": traits or {}, "context": context}
            ).decode(),
        )

    def register(
        self,
        at: float,
        device: str,
        *,
        user: str | None = None,
        token: str | None = "T1",
        fid: str | None = None,
        platform: str = "Android",
        name: str = "Register Push",
        anon: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> Event:
        return self.event(
            at,
            "track",
            name=name,
            user=device if user is None else user,
            anon=anon,
            device=device,
            properties={"fcmToken": token, "fid": fid, "deviceType": platform},
            context=context,
        )

    def told(self, at: float, name: str, device: str, **rest: Any) -> Event:
        """What an SDK tracks of a device it names in `context.device`."""
        return self.event(at, "track", name=name, context_device=device, **rest)

    def track(self, at: float, **ids: Any) -> Event:
        return self.event(at, "track", **{"name": "Product Viewed", **ids})

    def identify(self, at: float, user: str, **rest: Any) -> Event:
        return self.event(at, "identify", user=user, **rest)

    def alias(self, at: float, user: str, previous: str) -> Event:
        return self.event(at, "alias", user=user, previous=previous)


def asked(event: Event, *, is_signed: bool) -> Event:
    """The event as it is read where its source asks for signatures; what needs one has one."""
    own = event.device_id or event.context_device_id
    if event.user_id is None:
        return msgspec.structs.replace(event, proof=Proof.NOBODY)
    if event.user_id == own:
        return msgspec.structs.replace(event, proof=Proof.DEVICE, user_id=None, device_id=own)
    acts = event.type in ("identify", "alias") or plain_name(event.name) in PUSH_NAMES
    proof = Proof.PROVEN if is_signed or acts else Proof.UNPROVEN
    return msgspec.structs.replace(event, proof=proof)
