"""What can become of a push, by name: every answer of FCM's, and ways to have none. Pure.

A plan, a chance (`faults`) and the beginning of a token all use these names.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from fcm_simulator.fcm import answers
from fcm_simulator.fcm.answers import Reply


class Trouble(StrEnum):
    OK = "ok"
    """In a plan: nothing happens to this one."""
    SLOW = "slow"
    """Answered only after `slow_ms`."""
    HANG = "hang"
    """Never answered, and not accepted."""
    SILENCE = "silence"
    """Accepted, and never answered."""
    RESET = "reset"
    """Every connection is cut, this one not accepted."""
    LOST = "lost"
    """Accepted, and every connection is cut instead of an answer."""
    REFUSED = "refused"
    """RST_STREAM REFUSED_STREAM: not looked at. Needs the server of `http2`."""
    GOAWAY = "goaway"
    """GOAWAY, this one not looked at; those before it are answered. Needs the same."""
    DEAD = "dead"
    """404 UNREGISTERED: the app is gone from the device, or its registration has expired."""
    DEAD_ENTITY = "dead-entity"
    """The same in its older words, which are still seen."""
    DEAD_DISABLED = "dead-disabled"
    """The same in the words of a device token that APNs has disabled."""
    DEAD_APNS = "dead-apns"
    """The same, with what APNs said."""
    MALFORMED = "malformed"
    """400: no valid registration token."""
    MALFORMED_FIELD = "malformed-field"
    """The same, with `message.token` as the violated field."""
    MALFORMED_ARGUMENT = "malformed-argument"
    """The violated field alone; the message says nothing of a token."""
    MALFORMED_BARE = "malformed-bare"
    """Other words, and nothing violated."""
    APNS_DEAD = "apns-dead"
    """400: APNs says 410 Unregistered."""
    APNS_DISABLED = "apns-disabled"
    """The same, without APNs' reason."""
    APNS_BAD = "apns-bad"
    """400: APNs says BadDeviceToken."""
    APNS_UNEXPLAINED = "apns-unexplained"
    """The same as a message, without APNs' reason."""
    APNS_TOPIC = "apns-topic"
    """400: APNs says DeviceTokenNotForTopic."""
    UNADDRESSED = "unaddressed"
    """400: the recipient is not set."""
    UNKNOWN_FIELD = "unknown-field"
    """400 of Google's front door, without FcmError."""
    TYPE_FAULT = "type-fault"
    """The same: `message.token` is of the wrong type, which is no fault of the device's."""
    PAYLOAD = "payload"
    """400: the message is too big."""
    PAYLOAD_BARE = "payload-bare"
    """400: an invalid argument, with no details at all."""
    NOT_FOUND = "not-found"
    """404, a page of HTML: a path that nobody knows."""
    UNAUTHORIZED = "unauthorized"
    """401 without a body."""
    FORBIDDEN = "forbidden"
    """403 with a page of HTML."""
    MISMATCH = "mismatch"
    """403 SENDER_ID_MISMATCH."""
    DENIED = "denied"
    """403: IAM refuses."""
    DISABLED = "disabled"
    """403: the API is not enabled in the project."""
    CREDENTIALS_MISSING = "credentials-missing"
    """401: no access token."""
    CREDENTIALS_INVALID = "credentials-invalid"
    """401: an access token that is none."""
    CREDENTIALS_EXPIRED = "credentials-expired"
    """401: an access token that was good once."""
    AUTHLESS = "authless"
    """401 THIRD_PARTY_AUTH_ERROR: APNs says InvalidProviderToken."""
    AUTHLESS_ENVIRONMENT = "authless-environment"
    """The same: BadEnvironmentKeyInToken."""
    AUTHLESS_KEY = "authless-key"
    """The same: BadEnvironmentKeyIdInToken."""
    AUTHLESS_UNRELATED = "authless-unrelated"
    """The same: UnrelatedKeyIdInToken."""
    AUTHLESS_MISSING = "authless-missing"
    """The same, under the words of a missing access token."""
    AUTHLESS_WEB = "authless-web"
    """The same of Web Push: nothing of APNs."""
    THROTTLED = "throttled"
    """429 QUOTA_EXCEEDED of the project."""
    THROTTLED_DEVICE = "throttled-device"
    """429 of the device."""
    THROTTLED_TOPIC = "throttled-topic"
    """429 of the topic."""
    CANCELLED = "cancelled"
    """499: may have been taken."""
    ABORTED = "aborted"
    """409."""
    INTERNAL = "internal"
    """500."""
    UNAVAILABLE = "unavailable"
    """503."""
    UNAVAILABLE_MARKED = "unavailable-marked"
    """The same after a byte order mark."""
    UNAVAILABLE_WRAPPED = "unavailable-wrapped"
    """The same in an array."""
    HTML = "html"
    """502 with a page of HTML."""
    UNSPECIFIED = "unspecified"
    """500 UNSPECIFIED_ERROR."""


def answer(name: Trouble, project: str, retry_after: int | None) -> Reply:
    """What FCM says. `retry_after`: of a 429 or 503, in seconds; None: no such header."""
    return _MAKERS[name](project, retry_after)


def named_by(token: str) -> tuple[Trouble, bool] | None:
    """What a token's beginning says becomes of it, and whether only the first time.

    `mismatch-7` is always refused so, `mismatch-once-7` the first time; None: nothing happens.
    """
    if token.split("-", 1)[0] not in _FIRST_WORDS:
        return None
    words = token.split("-", 3)[:-1]
    for length in range(min(len(words), 2), 0, -1):
        name = "-".join(words[:length])
        if name == "flaky":
            return Trouble.UNAVAILABLE, True
        trouble = _NAMES.get(name)
        if trouble is not None:
            return trouble, words[length : length + 1] == ["once"]
    return None


def _plain(make: Callable[[], Reply]) -> Callable[[str, int | None], Reply]:
    return lambda project, retry_after: make()


def _device(project: str, retry_after: int | None) -> Reply:
    return answers.quota_exceeded("device", retry_after, "Device message rate exceeded")


def _topic(project: str, retry_after: int | None) -> Reply:
    return answers.quota_exceeded(f"project:{project}", retry_after, "Topic quota exceeded.")


_MAKERS: dict[Trouble, Callable[[str, int | None], Reply]] = {
    Trouble.DEAD: _plain(answers.unregistered),
    Trouble.DEAD_ENTITY: _plain(lambda: answers.unregistered(message=answers.NO_SUCH_ENTITY)),
    Trouble.DEAD_DISABLED: _plain(lambda: answers.unregistered(message=answers.APNS_DISABLED)),
    Trouble.DEAD_APNS: _plain(lambda: answers.unregistered(apns_reason="Unregistered")),
    Trouble.MALFORMED: _plain(answers.malformed_token),
    Trouble.MALFORMED_FIELD: _plain(lambda: answers.malformed_token(has_field=True)),
    Trouble.MALFORMED_ARGUMENT: _plain(
        lambda: replace(
            answers.invalid_argument(
                "message.token",
                "Invalid registration token",
                "Request contains an invalid argument.",
            ),
            name="malformed_token",
        )
    ),
    Trouble.MALFORMED_BARE: _plain(answers.invalid_token),
    Trouble.APNS_DISABLED: _plain(lambda: answers.apns_token_disabled(has_reason=False)),
    Trouble.APNS_UNEXPLAINED: _plain(answers.apns_bad_token_unexplained),
    Trouble.APNS_DEAD: _plain(answers.apns_token_disabled),
    Trouble.APNS_BAD: _plain(answers.apns_bad_token),
    Trouble.APNS_TOPIC: _plain(lambda: answers.apns_bad_token("DeviceTokenNotForTopic")),
    Trouble.UNADDRESSED: _plain(answers.no_target),
    Trouble.UNKNOWN_FIELD: _plain(
        lambda: answers.invalid_json(
            (
                "message",
                "Invalid JSON payload received. Unknown name \"toen\" at 'message': "
                "Cannot find field.",
            )
        )
    ),
    Trouble.TYPE_FAULT: _plain(
        lambda: answers.invalid_json(
            ("message.token", "Invalid value at 'message.token' (TYPE_STRING), 5")
        )
    ),
    Trouble.UNAUTHORIZED: _plain(lambda: answers.bodyless(401)),
    Trouble.FORBIDDEN: _plain(answers.forbidden),
    Trouble.PAYLOAD: _plain(answers.too_big),
    Trouble.PAYLOAD_BARE: _plain(answers.too_big_unexplained),
    Trouble.NOT_FOUND: _plain(answers.not_found),
    Trouble.MISMATCH: _plain(answers.sender_mismatch),
    Trouble.DENIED: lambda project, retry_after: answers.permission_denied(project),
    Trouble.DISABLED: lambda project, retry_after: answers.service_disabled(project),
    Trouble.CREDENTIALS_MISSING: _plain(answers.credentials_missing),
    Trouble.CREDENTIALS_INVALID: _plain(answers.credentials_invalid),
    Trouble.CREDENTIALS_EXPIRED: _plain(answers.access_token_expired),
    Trouble.AUTHLESS: _plain(answers.third_party_auth),
    Trouble.AUTHLESS_ENVIRONMENT: _plain(
        lambda: answers.third_party_auth("BadEnvironmentKeyInToken")
    ),
    Trouble.AUTHLESS_KEY: _plain(lambda: answers.third_party_auth("BadEnvironmentKeyIdInToken")),
    Trouble.AUTHLESS_UNRELATED: _plain(lambda: answers.third_party_auth("UnrelatedKeyIdInToken")),
    Trouble.AUTHLESS_MISSING: _plain(
        lambda: answers.third_party_auth(message=answers.MISSING_CREDENTIALS)
    ),
    Trouble.AUTHLESS_WEB: _plain(lambda: answers.third_party_auth(None)),
    Trouble.THROTTLED: lambda project, retry_after: answers.quota_exceeded(
        f"project:{project}", retry_after
    ),
    Trouble.THROTTLED_DEVICE: _device,
    Trouble.THROTTLED_TOPIC: _topic,
    Trouble.CANCELLED: _plain(answers.cancelled),
    Trouble.ABORTED: _plain(answers.aborted),
    Trouble.INTERNAL: _plain(answers.internal),
    Trouble.UNAVAILABLE: lambda project, retry_after: answers.unavailable(retry_after),
    Trouble.UNAVAILABLE_MARKED: lambda project, retry_after: answers.marked(
        answers.unavailable(retry_after)
    ),
    Trouble.UNAVAILABLE_WRAPPED: lambda project, retry_after: answers.wrapped(
        answers.unavailable(retry_after)
    ),
    Trouble.HTML: _plain(answers.bad_gateway),
    Trouble.UNSPECIFIED: _plain(answers.unspecified),
}

ANSWERS = frozenset(_MAKERS)
"""Those that FCM says; the others are ways to say nothing, or to say it late."""
_NAMES = {str(trouble): trouble for trouble in Trouble if trouble is not Trouble.OK} | {
    "quota": Trouble.THROTTLED,
    "quota-device": Trouble.THROTTLED_DEVICE,
    "quota-topic": Trouble.THROTTLED_TOPIC,
}
_FIRST_WORDS = frozenset({name.split("-", 1)[0] for name in _NAMES} | {"flaky"})
