"""Why a push did not arrive, or a registration ended, in words, and what would help: the one place
where reasons are said. Pure."""

from dataclasses import dataclass

from clarion.customers.devices.device import DELETED, REPLACED, STALE, TOKEN_MOVED
from clarion.deliveries.delivery import Skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason means. `phrase`: what is so, of a device and its customer; `remedy`: what to
    do, empty: nothing. Both are parts of a sentence; `says` and `cure` are sentences.
    `is_mendable`: a launch that reaches nobody for this reason alone has failed."""

    phrase: str
    remedy: str = ""
    is_mendable: bool = False

    @property
    def says(self) -> str:
        """The phrase as a sentence."""
        return _sentence(self.phrase)

    @property
    def cure(self) -> str:
        """The remedy as a sentence; empty where there is none."""
        return _sentence(self.remedy)


SKIPS = {
    Skip.OPTED_OUT: Meaning("they have opted out of push, or are suppressed"),
    Skip.DEVICE_MOVED: Meaning("it was somebody else's by then"),
    Skip.REGISTRATION_REMOVED: Meaning(
        "its registration was removed before", "let the app register it again when it starts"
    ),
    Skip.NO_FIREBASE_APP: Meaning(
        "its source is bound to no Firebase app",
        "bind the source of these devices to a Firebase app",
        is_mendable=True,
    ),
    Skip.APNS_TOKEN: Meaning(
        "its app sends the APNs token instead of the FCM token",
        "let the app send its FCM token instead of its APNs token",
        is_mendable=True,
    ),
    Skip.NOTIFICATIONS_OFF: Meaning(
        "notifications are turned off on it",
        "ask for them in the app, at a moment when it helps the person",
    ),
    Skip.NOT_RENDERED: Meaning(
        "a text of the campaign fails for them",
        "mend the text that fails; the preview of one of these customers shows which",
        is_mendable=True,
    ),
    Skip.NO_LIVE_ACTIVITY: Meaning(
        "it has told no token for a Live Activity", "let the app send that token when it registers"
    ),
    Skip.EXCLUDED: Meaning(
        "the workspace's exclusions name them", "take them out of the exclusions if that is wrong"
    ),
    Skip.CATEGORY_LEFT: Meaning("they have left the campaign's category"),
    Skip.FREQUENCY_CAP: Meaning(
        "they had got as many pushes lately as a frequency cap allows",
        "look at the caps of the workspace if these are too many",
    ),
    Skip.QUIET_HOURS: Meaning(
        "it was in the quiet hours of their zone",
        "set quiet hours to hold pushes, not to skip them",
    ),
    Skip.LATE: Meaning(
        "it was too late for it: their turn had passed while nothing ran or before it was reached",
        "see that Clarion runs, and is fast enough, when the time comes",
    ),
    Skip.ERASED: Meaning("they were erased"),
}
MEANINGS = {skip.value: meaning for skip, meaning in SKIPS.items()} | {
    "unregistered": Meaning(
        "the app was uninstalled, or its token is dead",
        "let the app register it again when it starts",
    ),
    "malformed_token": Meaning(
        "its token is none that FCM has given", "look at what the app sends"
    ),
    "apns_unregistered": Meaning("Apple says that the app is gone from this iPhone"),
    "apns_bad_token": Meaning(
        "Apple does not know its token",
        "see whether it is a build for development, which registers elsewhere than the App Store's",
    ),
    "sender_mismatch": Meaning(
        "its token belongs to another Firebase project", "bind the source to that project"
    ),
    "payload_too_big": Meaning("with their texts it is larger than 4 KB", "shorten it"),
    "third_party_auth": Meaning(
        "FCM may not send to Apple or to a browser's service",
        "upload the APNs key, or the web push certificate, in the Firebase console",
    ),
    "campaign_cancelled": Meaning("the campaign was cancelled before it was sent"),
    DELETED: Meaning("the app has said that it takes no pushes any more"),
    STALE: Meaning(
        "it was not heard of for longer than registrations are kept",
        "let the app register it again when it starts",
    ),
    REPLACED: Meaning("another registration of it took its place"),
    TOKEN_MOVED: Meaning("its token is that of another device now"),
    "throttled": Meaning("FCM asked for fewer pushes"),
    "apns_unavailable": Meaning("Apple's service did not answer FCM"),
    **dict.fromkeys(
        ("unreachable", "refused", "closed"),
        Meaning("FCM was not reached", "see whether this machine reaches FCM"),
    ),
    **dict.fromkeys(
        ("connection_lost", "timeout"),
        Meaning("FCM was not heard of in time", "see whether this machine reaches FCM"),
    ),
    "unreadable_answer": Meaning("FCM's answer could not be read"),
    "oauth_unreachable": Meaning(
        "Google's server of access tokens was not reached", "see whether this machine reaches it"
    ),
    "live_activity_ended": Meaning("its Live Activity has ended"),
}
_DOUBTED = "doubted_"


def meaning(reason: str) -> Meaning:
    """A reason in words; what is not known here is said as FCM said it."""
    if reason in MEANINGS:
        return MEANINGS[reason]
    if reason.startswith(_DOUBTED):
        said = reason.removeprefix(_DOUBTED)
        return Meaning(
            f"FCM said “{said}”, which was not believed of a healthy app: it is tried again by "
            "itself"
        )
    return Meaning(f"FCM said “{reason.replace('_', ' ')}”")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""
