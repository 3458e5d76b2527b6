"""What the sentences in FCM's errors mean, however they are worded. Pure.

FCM says the same thing in several ways, and changes its words without notice: "NotRegistered",
"Invalid registration token", "APNs device token is disabled." A sentence is compared word by word,
in lower case, without signs, up to its first colon; and as a whole, so that no part of a longer
sentence about something else ends a registration.
"""

import re

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+")
_REGISTRATION = (
    r"(the )?(provided |given |requested )?(fcm |firebase |apns )?"
    r"(registration( token| id)?|device( token)?|installation( id)?|fid)"
)
_ENDS = (
    (
        "apns_unregistered",
        r"(the )?apns device token (is |was |has |has been )?"
        r"(disabled|expired|inactive|unregistered)"
        r"|(the )?device token (is |was |has been )?(disabled|inactive)|expired token",
    ),
    ("apns_bad_token", r"bad device token|device token not for topic"),
    ("sender_mismatch", r"sender id mismatch(ed)?|mismatch(ed)? sender id"),
    (
        "unregistered",
        rf"({_REGISTRATION} )?(is |was |has been )?(not( yet)? registered|unregistered)"
        rf"( any ?more)?"
        rf"|{_REGISTRATION} (is )?(no longer (registered|valid|active)|not active)"
        rf"|{_REGISTRATION} (is |was |has )?(been )?(expired|deleted)",
    ),
    (
        "malformed_token",
        rf"invalid {_REGISTRATION}( provided| format)?|{_REGISTRATION}( provided)? "
        r"(is )?(not (a )?valid( fcm)?( registration)?( token)?|invalid|malformed)( format)?",
    ),
)
_COMPILED = [(reason, re.compile(rf"(error )?({pattern})")) for reason, pattern in _ENDS]

_APNS_CONFIGURATION = re.compile(
    r"\b(BadCertificate\w*|BadEnvironmentKeyI[dn]\w*|BadTopic|ExpiredProviderToken"
    r"|InvalidProviderToken|MissingProviderToken|MissingTopic|TopicDisallowed"
    r"|TooManyProviderTokenUpdates|UnrelatedKeyIdInToken)\b"
)
"""The app's APNs key, or the topic that belongs to it: an operator's to mend."""
_TYPE_FAULT = re.compile(
    r"\bTYPE_[A-Z0-9_]+\b|invalid value at|invalid json payload|cannot find field|oneof field"
    r"|proto field is not",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"'[^']*'|\"[^\"]*\"|\b(projects?|consumer|service|project_number)[:/ ]+[^\s,;]+", re.IGNORECASE
)
_DEVICE_LIMIT = re.compile(
    r"\b(per|single|each|one|this|same) device\b"
    r"|\bdevice('s)? (message(s)? )?(rate|quota|limit|messages?)\b"
    r"|\bmessages? (rate )?(for|to) (this|the|a|one) device\b",
    re.IGNORECASE,
)

_PROJECT_LIMIT = re.compile(r"\bprojects?\b|\bconsumer\b|\bmessage rate\b", re.IGNORECASE)


def reason_of_end(sentence: str) -> str | None:
    """Why the registration is dead (a reason of `Unregistered`) if the sentence says so."""
    plain = " ".join(_WORD.findall(_CAMEL.sub(" ", sentence.partition(":")[0]).lower()))
    if plain == "error":
        plain = " ".join(_WORD.findall(_CAMEL.sub(" ", sentence).lower()))
    for reason, pattern in _COMPILED:
        if plain and pattern.fullmatch(plain):
            return reason
    return None


def apns_configuration(sentence: str) -> str:
    """Apple's word for what is wrong with the app's APNs key or topic, if the text holds one."""
    match = _APNS_CONFIGURATION.search(sentence)
    if match is not None:
        return match[0]
    return "Forbidden" if sentence.strip() == "Forbidden" else ""


def is_type_fault(sentence: str) -> bool:
    """Whether it says that the request's JSON is wrong: our defect, whatever field it names."""
    return _TYPE_FAULT.search(sentence) is not None


def limits_project(sentence: str) -> bool:
    """Whether a quota is said to be the whole project's."""
    return _PROJECT_LIMIT.search(sentence) is not None


def limits_one_device(sentence: str) -> bool:
    """Whether a quota is said to be one device's; "device" in a project's name is no such word."""
    return _DEVICE_LIMIT.search(_NAMES.sub(" ", sentence)) is not None
