"""What every code says that stands beside an event: the one place of meanings and cures. Pure.

A **refusal** keeps something out: a whole call (stage `call`), an event (`event`), or the device it
would register (`registration`). A **warning** keeps nothing out; somebody should know all the same.
It is told once an hour and source, with a count, so that it can not flood (`identity`: the event
joins nobody whom it could have joined; `advice`: what it meant to say was not heard).

The stations that refuse and warn know the codes; here are the words. The limits in them are those
of the stations: a test holds them equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from clarion.ingest_log.outcome import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A warning for people."""

    stage: Stage
    meaning: str
    cure: str


WARNINGS: Mapping[str, Advice] = {
    "device_id_is_user_id": Advice(
        stage=Stage.IDENTITY,
        meaning="A device id is also the user id of a real customer. The customer stays a "
        "customer, and what the device does is not taken over at sign-in.",
        cure="Give each installation an id of its own (a random UUID, or the Firebase "
        "installation id), and send a person's id only as `userId`.",
    ),
    "cannot_merge_already_identified": Advice(
        stage=Stage.IDENTITY,
        meaning="An `alias` would join two known customers, or a customer with themselves. It "
        "changes nothing: two real user ids are never merged by an event.",
        cure="Call `alias` before `identify`, with the anonymous id as `previousId`; with "
        "Clarion an `identify` that carries the `anonymousId` is enough.",
    ),
    "alias_without_previous_id": Advice(
        stage=Stage.IDENTITY,
        meaning="An `alias` says no usable `previousId`, and so joins nobody.",
        cure="Send the anonymous id or device id as `previousId`, and the user's id as `userId`.",
    ),
    "key_shared": Advice(
        stage=Stage.IDENTITY,
        meaning="More than 20 users came with one anonymous id or device id "
        "within a day. What was done without a user id under it is taken over by nobody any more.",
        cure="Do not send a constant as `anonymousId` or `deviceId`, and do not share one between "
        "people (a kiosk, a server): make a random one for each installation.",
    ),
    "apns_token": Advice(
        stage=Stage.ADVICE,
        meaning="An iOS app sends an APNs token (`context.device.token` or "
        "`properties.fcmToken`). FCM can not send to it: it is never used for a push.",
        cure="Ask the Firebase SDK for its token (`Messaging.messaging().token`) and send that as "
        "`properties.fcmToken` of `Register Push`. If you do so already, and only an SDK of "
        "Segment's adds its own, nothing is missing.",
    ),
    "time_unreadable": Advice(
        stage=Stage.ADVICE,
        meaning="The `timestamp` is no time. The event counts as having happened when it came.",
        cure="Send ISO 8601 (`2026-03-01T09:00:00Z`) or milliseconds since 1970, or none.",
    ),
    "time_impossible": Advice(
        stage=Stage.ADVICE,
        meaning="The `timestamp` lies ahead, or before 1971. The event counts as having happened "
        "when it came.",
        cure="Send `sentAt` by the same clock (SDKs do): then a wrong clock is corrected. Send "
        "milliseconds, not seconds or microseconds.",
    ),
    "text_damaged": Advice(
        stage=Stage.ADVICE,
        meaning="Characters of an event were lost before it was stored: its bytes were not UTF-8, "
        "an emoji was cut in two (both show as U+FFFD), or UTF-8 was taken for Latin-1 and written "
        "again (`Ã©` for `é`). It is stored like that, and an id with U+FFFD in it is no id.",
        cure="Send UTF-8, or name the charset in the Content-Type. Look where a text is cut, or "
        "read from a file or a database in another encoding, before the SDK has it.",
    ),
    "event_name_misspelt": Advice(
        stage=Stage.ADVICE,
        meaning="An event is named all but like one that Clarion acts on, and so does nothing but "
        "to be stored.",
        cure="Send the name as it is reserved; its case, and spaces, `_` or `-` between its "
        "words, do not matter, but the words must stand apart.",
    ),
    "registered_long_ago": Advice(
        stage=Stage.ADVICE,
        meaning="A registration says that it was made more than 45 days before it "
        "came. It counts from then on: a newer one stands against it, and the sweeper may remove "
        "it at once.",
        cure="Nothing, where old registrations are imported. Else the device's clock is behind: "
        "send `sentAt` by the same clock (SDKs do), or no `timestamp` at all.",
    ),
    "fid_not_registered": Advice(
        stage=Stage.ADVICE,
        meaning="The app tells a Firebase installation id (FID) that FCM does not know, beside a "
        "token that it does. The push went to the token, and the device is kept; from then on the "
        "token comes first.",
        cure="A FID that is only read (`Installations.getId()`) is registered for nothing. Let the "
        "app register for messaging by FID (on Android "
        "`firebase_messaging_installation_id_enabled`, on iOS "
        "`FirebaseMessagingInstallationIdEnabled`) and send the FID that `onRegistered` or "
        "`didReceiveRegistration` gives; or send only the token, and no `fid`.",
    ),
    "tokens_not_refreshed": Advice(
        stage=Stage.ADVICE,
        meaning="Devices are in use 45 days after they last registered, or none has "
        "registered for 45 days: the app does not refresh its tokens. Registrations "
        "that are not refreshed become stale and are removed.",
        cure="Send `Register Push` again with the token of now every 30 to 45 days, and whenever "
        "the Firebase SDK reports a new one. `clarion devices freshness` tells which versions of "
        "the app do not.",
    ),
    "push_preference_unreadable": Advice(
        stage=Stage.ADVICE,
        meaning="`marketingPreferences` says something of push that is neither yes nor no. It is "
        "not taken for a yes: what the person said before stands.",
        cure="Send `subscribed` as `true` or `false`.",
    ),
    "device_id_of_two_installations": Advice(
        stage=Stage.IDENTITY,
        meaning="Two installations register in turn under one device id, as when a backup is "
        "restored on a second phone. They count as one device: each registration takes the place "
        "of the other's, and only the one that registered last is reached.",
        cure="Make the device id anew where an installation finds another Firebase installation "
        "id than it has kept, and keep the id out of backups.",
    ),
    "profile_full": Advice(
        stage=Stage.ADVICE,
        meaning="A customer has 1,000 traits, or traits of 256 "
        "KiB: traits of this event were not taken.",
        cure="Send what happens as events, and as traits only what a person is known by; do not "
        "make trait names of ids or dates.",
    ),
}

CALL_CURES: Mapping[str, str] = {
    "write_key_unknown": "Copy the write key of the source from `clarion sources list`.",
    "write_key_retired": "Release the app with a write key that stands, or take this one again "
    "until nobody uses it: `clarion sources restore SOURCE KEY`.",
    "source_revoked": "`clarion sources restore SOURCE` takes its keys again. If it is to stay "
    "revoked, put another source's write key into the app.",
    "origin_not_allowed": "If the page is yours, name its origin beside the others: `clarion "
    "sources origins SOURCE ORIGIN…`. If it is not, somebody uses your write key on theirs, and "
    "is kept out.",
    "too_fast": "SDKs send the same again. If that is your app's own load, raise the limit: "
    "`clarion sources limit SOURCE N --burst M`. If it is not, somebody else uses the key: "
    "`clarion sources rotate`, and retire it once the app is released with the new one.",
    "not_json": "Let a JSON library write the body, in UTF-8.",
    "not_an_object": 'Send an object: one event, or `{"batch": […]}`.',
    "batch_missing": 'Send `{"batch": [event, …]}` to `/v1/batch`, one event to `/v1/track` and '
    "the like.",
    "batch_too_large": "Send at most 2,500 events in a call: set the SDK's batch size.",
    "body_too_large": "Send smaller batches: at most 512 KiB a call, unpacked (1 MB to "
    "`/track/…`). SDKs have a setting for it.",
    "context_too_large": "Put what belongs to one event into that event; send smaller batches.",
    "write_keys_too_many": "Name one write key for the whole batch; send a batch for each source.",
    "context_unreadable": "Let a JSON library write the batch's `context`.",
    "encoding_unknown": "Send the body as it is, or as gzip.",
    "gzip_broken": "Compress the body by a library, once, and send all of it.",
    "nested_too_deeply": "Send flat properties; look whether an object holds itself.",
    "not_found": "Look at the address that the SDK is set up with: it is the host alone, without "
    "a path; events go to `/v1/batch`, `/v1/track` and the like.",
    "method_not_allowed": "Send events by POST. A redirect from http to https turns a POST into a "
    "GET: set the app up with https at once.",
    "body_too_slow": "A slow line: the SDK sends the same again. If it is so for everybody, look "
    "at the proxy before Clarion.",
    "disk_low": "Free some of the disk, or give it more. SDKs send the same again. The mark is "
    "`CLARION_DISK_FREE_MIN`.",
    "backlog_full": "See why the ingestor is slow or stopped (`clarion_jobs`, the log), or run "
    "more of them. SDKs send the same again. The limit is `CLARION_BACKLOG_MAX`.",
    "unavailable": "`clarion check` says whether the database or the broker is away.",
    "pixel_unreadable": "Put the event's JSON into `data`, in base64, percent-encoded; or its "
    "fields one by one: `?event=Opened&userId=42`.",
}
"""Of calls that are turned away whole."""

CURES: Mapping[str, str] = {
    "event_too_large": "Send less in one event: leave out what nobody uses, or send several.",
    "event_type_unknown": "Call `/v1/track` and the like, or send `type` in every event of a "
    "batch.",
    "event_name_missing": "Send the name as `event`, a text that is not blank.",
    "id_too_long": "Send the id of your own database; not a token, a URL or JSON.",
    "id_not_exact": "Keep ids as texts from the database to the SDK (`String`, not `Double`), "
    "and do not format them for a language; of a number print every digit.",
    "no_user_anon_id": "Send the person's id as `userId` once they have signed in; before that an "
    "id of the installation as `anonymousId`. Look whether a variable is empty where it is sent.",
    "event_nested_too_deeply": "Send flat properties; look whether an object holds itself.",
    "event_not_an_object": "Send every event of `batch` as a JSON object.",
    "event_unreadable": "Let a JSON library write the event, in UTF-8.",
    "event_switched_off": 'Leave `integrations` out, or say `"Clarion": true` in it.',
    "event_failed": "Look in the server's log, and report it: it is a defect of Clarion's.",
    "person_suppressed": "That is as it should be, and the app need not be changed. Test with "
    "another person on another device; `clarion customers unsuppress USER_ID` ends it.",
    "signature_missing": "Let your own server sign the userId of whoever is signed in, hand it to "
    "the app, and send it as `context.userSignature`. Before sign-in `userId` is the device id, "
    "which then stands in `properties.deviceId`, too.",
    "signature_wrong": "Sign the very text that is sent as `userId`, with a secret of this source "
    "that is not retired: HMAC-SHA256, in hex.",
    "token_missing": "Wait for the Firebase SDK's token, then send `Register Push` with it as "
    "`properties.fcmToken`. Without permission to push there is none: then do not register.",
    "token_malformed": "Send the token as the Firebase SDK gives it, as a text of its own.",
    "device_type_unknown": "Send `properties.deviceType` as iOS, Android or Web.",
    "device_id_too_long": "Send an id that you choose once for an installation, such as a UUID.",
    "device_id_missing": "Send as `properties.deviceId` an id that the installation keeps.",
    "device_id_not_exact": "Send the id of the installation as the text that it was made as.",
    "too_many_devices": "Keep the device id that an installation has made, and send it again: a "
    "new one at each start makes a new device each time.",
    "device_id_blocked": "Make a random id on the first start, keep it, and send that one.",
}


def cure_of(code: str) -> str | None:
    """What to do about a refusal or a warning; None for a code of another version."""
    cure = CURES.get(code) or CALL_CURES.get(code)
    if cure is None and code in WARNINGS:
        cure = WARNINGS[code].cure
    return cure
