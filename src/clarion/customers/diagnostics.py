"""Which warnings ingestion and sending give. What each means is said in `ingest_log`. Pure."""

from enum import StrEnum

from clarion.events.messages.message import TIME_IMPOSSIBLE, TIME_UNREADABLE

REFRESH_DAYS = 45
"""Without a refreshed registration for longer than that, a source is warned of; and of one that is
older when it comes."""


class WarningCode(StrEnum):
    DEVICE_ID_IS_USER_ID = "device_id_is_user_id"
    CANNOT_MERGE = "cannot_merge_already_identified"
    ALIAS_WITHOUT_PREVIOUS_ID = "alias_without_previous_id"
    KEY_SHARED = "key_shared"
    APNS_TOKEN = "apns_token"  # noqa: S105 - a code
    TIME_UNREADABLE = TIME_UNREADABLE
    TIME_IMPOSSIBLE = TIME_IMPOSSIBLE
    TEXT_DAMAGED = "text_damaged"
    EVENT_NAME_MISSPELT = "event_name_misspelt"
    REGISTERED_LONG_AGO = "registered_long_ago"
    TOKENS_NOT_REFRESHED = "tokens_not_refreshed"
    PUSH_PREFERENCE_UNREADABLE = "push_preference_unreadable"
    TWO_INSTALLATIONS = "device_id_of_two_installations"
    PROFILE_FULL = "profile_full"

    FID_NOT_REGISTERED = "fid_not_registered"
