"""What traits say of being pushed to, in whatever spelling. Pure."""

from collections.abc import Mapping
from typing import Any

from clarion.events.messages.yes_or_no import says_no, yes_or_no


def is_excluded(traits: Mapping[str, Any]) -> bool:
    """Whether the trait `exclusions` stops every push: any member that is neither a no nor null
    does, and so does anything else in its place, since it was meant to."""
    exclusions = traits.get("exclusions")
    if isinstance(exclusions, Mapping):
        said = list(exclusions.values())
    else:
        said = exclusions if isinstance(exclusions, list) else [exclusions]
    return any(value not in (None, "") and not says_no(value) for value in said)


def push_preference(traits: Mapping[str, Any]) -> bool | None:
    """Whether an identify asks for push (True), declines it (False) or does not say (None).

    Reads `marketingPreferences.channels[]` with `channel` "push", in any spelling of yes and no.
    Several: any "no" counts, and what can not be read is never taken for a yes.
    """
    said = [yes_or_no(one) for one in _push_answers(traits)]
    if False in said:
        return False
    return True if said and None not in said else None


def is_preference_unreadable(traits: Mapping[str, Any]) -> bool:
    """Whether an identify means to say something of push that can not be read."""
    return any(yes_or_no(one) is None for one in _push_answers(traits))


def _push_answers(traits: Mapping[str, Any]) -> list[Any]:
    preferences = traits.get("marketingPreferences")
    channels = preferences.get("channels") if isinstance(preferences, Mapping) else None
    if isinstance(channels, Mapping):  # {"push": …} in place of a list of them
        channels = [
            {"subscribed": value, **(value if isinstance(value, Mapping) else {}), "channel": name}
            for name, value in channels.items()
        ]
    return [
        channel["subscribed"]
        for channel in (channels if isinstance(channels, list) else ())
        if isinstance(channel, Mapping)
        and str(channel.get("channel", "")).strip().lower() == "push"
        and channel.get("subscribed") is not None
    ]
