"""What an address is that FCM can not send to, by its shape. Pure.

Apps send under `fcmToken` what another service has given them, or what Google's services return in
place of a token when there is none. It would be kept, fail at each push, or, being the same on many
phones, move from one to the next. So it is refused when it comes, and called what it is.
"""

import re

FIREBASE = "the token that the Firebase SDK gives"

_APNS_CURE = (
    "an APNs token as Apple's classes print it, which FCM can not send to: send "
    "`Messaging.messaging().token`"
)
_KINDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        (
            r"(?i:Expo(nent)?PushToken)\[.*\]",
            "a token of Expo's push service, which alone can send to it: call "
            f"`getDevicePushTokenAsync()` for {FIREBASE}",
        ),
        (
            r"[A-Za-z][A-Za-z0-9+.-]*://.*",
            "an address, such as a web push endpoint: call `getToken()` of the Firebase SDK for "
            "the web, with your VAPID key, and send what it returns",
        ),
        (r"<[0-9a-fA-F]{8}( ?[0-9a-fA-F]{8}){7,}>", _APNS_CURE),
        (r"\{ ?length ?= ?\d+, ?bytes ?= ?0x.*\}", _APNS_CURE),
        (
            r"\[object .*\]|Promise\b.*|Optional\(.*\)|Task[<(].*|Instance of .*",
            f"an object of a programming language printed as a text: send {FIREBASE}, which may "
            "have to be waited for (await), as it is",
        ),
        (
            r"\{.*\"?:.*\}|\[.*\]",
            f"JSON as a text: send {FIREBASE} alone, as a text, and not the object it stands in",
        ),
        (
            r"(?i:blacklisted|timeout|[a-z]+(_[a-z]+)*_(error|exception|failed|unavailable)|"
            r"service_not_available|missing_instanceid_service|too_many_registrations|"
            r"invalid_sender|invalid_parameters|account_missing|internal_server_error|"
            r"authentication_failed|quota_exceeded)|[A-Z]+(_[A-Z]+)+",
            "an error of Google's services in place of a token: this phone has none now. Register "
            "only when there is a token, and try again later",
        ),
        (
            r"messaging/[a-z-]+.*|([A-Za-z]+\.)+[A-Za-z]*(Exception|Error)\b.*|\w*Exception\b.*",
            "an error of the Firebase SDK in place of a token: register only when there is one",
        ),
        (
            r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
            f"a UUID, such as another push service's id of a subscription: send {FIREBASE}",
        ),
        (
            r"eyJ[\w-]+\.[\w-]+\.[\w-]*",
            f"a JWT, such as the token somebody is signed in by: send {FIREBASE} Messaging",
        ),
        (r"ya29\..*", f"an access token of Google's: send {FIREBASE}"),
        (r"AIza[\w-]{35}", f"an API key of Google's: send {FIREBASE}"),
        (r"(?i:amzn\d\.adm).*", "a token of Amazon Device Messaging, which FCM can not send to"),
        (r"/topics/.*", f"a topic, and not one phone: send {FIREBASE}"),
        (r"\d{6,20}", f"a number, such as the sender id of a project: send {FIREBASE}"),
        (
            r"1:\d+:(android|ios|web):[0-9a-f]+",
            f"the id of an app in Firebase, the same on each phone: send {FIREBASE}",
        ),
    )
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,}:APA91b[A-Za-z0-9_-]{20,}")


def stranger(address: str) -> str | None:
    """What the address is, and the cure; None: it may be FCM's."""
    if _TOKEN.fullmatch(address):
        return None
    for pattern, said in _KINDS:
        if pattern.fullmatch(address):
            return said
    return None
