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
    said = [yes_or_no(push_answer) for push_answer in _push_answers(traits)]
    if False in said:
        return False
    return True if said and None not in said else None


def category_preference(preferences: Any, category: str) -> bool | None:
    """Whether the trait `marketingPreferences` asks for campaigns of a category (True), declines
    them (False) or does not say (None).

    Reads `categories[]` with `category`, in any spelling of yes and no. Several: any "no" counts.
    """
    listed = preferences.get("categories") if isinstance(preferences, Mapping) else None
    said = [yes_or_no(answer) for answer in _answers(listed, "category", category)]
    if False in said:
        return False
    return True if said and None not in said else None


def is_preference_unreadable(traits: Mapping[str, Any]) -> bool:
    """Whether an identify means to say something of push that can not be read."""
    return any(yes_or_no(push_answer) is None for push_answer in _push_answers(traits))


def _push_answers(traits: Mapping[str, Any]) -> list[Any]:
    preferences = traits.get("marketingPreferences")
    channels = preferences.get("channels") if isinstance(preferences, Mapping) else None
    return _answers(channels, "channel", "push")


def _answers(listed: Any, kind: str, name: str) -> list[Any]:
    """What is said of the channel or category `name`: in a list, or in an object by name."""
    if isinstance(listed, Mapping):  # {"push": …} in place of a list of them
        listed = [
            {"subscribed": value, **(value if isinstance(value, Mapping) else {}), kind: key}
            for key, value in listed.items()
        ]
    return [
        answer["subscribed"]
        for answer in (listed if isinstance(listed, list) else ())
        if isinstance(answer, Mapping)
        and str(answer.get(kind, "")).strip().lower() == name
        and answer.get("subscribed") is not None
    ]
