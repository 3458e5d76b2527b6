"""Why a push did not arrive, in words, and what would help. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """What a reason means. `cure` empty: there is nothing to do."""

    says: str
    cure: str = ""


REASONS = {
    "opted_out": Told("The person has said no to push.", "Nothing: it is their word."),
    "notifications_off": Told(
        "The phone does not let the app show any.",
        "Ask for it in the app, at a moment when it helps the person.",
    ),
    "device_moved": Told("The device belongs to somebody else by now.", "Nothing: that is right."),
    "registration_removed": Told("The registration was removed meanwhile."),
    "no_firebase_app": Told(
        "The device's source is bound to no Firebase app.", "Bind it, under Connections."
    ),
    "apns_token": Told(
        "The app has sent its APNs token.", "Send the FCM token: the guide for iOS shows how."
    ),
    "not_rendered": Told(
        "The text could not be made for this customer.",
        'Give each variable a default: {{ customer.first_name | default: "friend" }}.',
    ),
    "no_live_activity": Told("The iPhone has told no token for this Live Activity."),
    "excluded": Told(
        "The workspace's exclusions name the customer.", "Nothing: that holds for every campaign."
    ),
    "category_left": Told("The person has left the campaign's category."),
    "frequency_cap": Told(
        "The customer has got as many pushes lately as a frequency cap allows.",
        "Look at the caps of the workspace if these are too many.",
    ),
    "quiet_hours": Told("It was quiet for the customer; it waits, or is left out, as is set."),
    "erased": Told("The customer was erased before it was sent."),
    "unregistered": Told(
        "The app was uninstalled, or its token is dead.",
        "Nothing: the registration is removed, and revives when the app comes back.",
    ),
    "malformed_token": Told("The token is none that FCM has given.", "Look at what the app sends."),
    "apns_unregistered": Told("Apple says that the app is gone from this iPhone."),
    "apns_bad_token": Told(
        "Apple does not know the token.",
        "A build for development registers at another place than one of the App Store.",
    ),
    "sender_mismatch": Told(
        "The token belongs to another Firebase project.", "Bind the source to that project."
    ),
    "payload_too_big": Told("With this customer's texts it is larger than 4 KB.", "Shorten it."),
    "third_party_auth": Told(
        "FCM may not send to Apple or to a browser's service.",
        "Upload the APNs key, or the web push certificate, in the Firebase console.",
    ),
    "campaign_cancelled": Told("The campaign was cancelled before it was sent."),
}
_DOUBTED = "doubted_"


def told(reason: str) -> Told:
    """A reason in words; what is not known here is said as FCM said it."""
    if reason in REASONS:
        return REASONS[reason]
    if reason.startswith(_DOUBTED):
        return Told(
            f"FCM said “{reason.removeprefix(_DOUBTED)}”, which was not believed of a healthy app.",
            "It is tried again by itself.",
        )
    return Told(f"FCM said “{reason.replace('_', ' ')}”.")
