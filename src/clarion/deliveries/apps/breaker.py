"""When the provider says that too many registrations are dead to be believed at once. Pure.

Some devices are gone each time: apps are uninstalled, and one in twenty is a bad day. When a key of
another project is in use, or the provider has a defect, it says so of nearly all of them, and doing
as it says would end the whole base. So a Firebase app's answers are counted twice: its recent ones,
and its own history. Far above both what is usual anywhere and what is usual for this app, nothing
more is removed: those devices are put in quarantine, the campaign pauses, and a person decides.

    recent share ≤ limit ──▶ remove          above it ──▶ stopped: quarantine, pause, tell
                                                             │ a person decides
                              remove them, and learn that ◀──┴──▶ keep them
"""

from dataclasses import dataclass, replace

RECENT_ANSWERS = 1_000
"""An answer counts half when so many have come after it."""
USUAL_ANSWERS = 50_000
REMOVALS_MIN = 50
"""So few are never a wave, whatever their share: small apps are not stopped by chance."""
SHARE_MIN = 0.20
TIMES_USUAL = 4.0
MISMATCHES_MIN = 10
"""Registrations of another project: a wrong key says so of all, and no app has many of them."""
MISMATCH_SHARE_MIN = 0.10
EXPECTED_SHARE = 0.02
"""What is expected of an app without a history, as if it had been seen in so many answers:"""
EXPECTED_ANSWERS = 1_000


_CHOICE = "Nothing more is removed until you decide whether FCM is right (remove) or not (keep)."


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalStats:
    """A Firebase app's answers: how many, and how many of them ended a registration."""

    recent: float = 0.0
    recent_removed: float = 0.0
    recent_mismatched: float = 0.0
    usual: float = 0.0
    usual_removed: float = 0.0

    @property
    def recent_share(self) -> float:
        return self.recent_removed / self.recent if self.recent else 0.0

    @property
    def usual_share(self) -> float:
        expected = EXPECTED_SHARE * EXPECTED_ANSWERS
        return (self.usual_removed + expected) / (self.usual + EXPECTED_ANSWERS)


def count(watch: RemovalStats, *, answered: int, removed: int, mismatched: int) -> RemovalStats:
    """With the answers of one chunk. A wave is not taken into the history before a person has
    said that it is right."""
    fading = 0.5 ** (answered / RECENT_ANSWERS)
    seen = replace(
        watch,
        recent=watch.recent * fading + answered,
        recent_removed=watch.recent_removed * fading + removed,
        recent_mismatched=watch.recent_mismatched * fading + mismatched,
    )
    if is_wave(seen):
        return seen
    fading = 0.5 ** (answered / USUAL_ANSWERS)
    return replace(
        seen,
        usual=watch.usual * fading + answered,
        usual_removed=watch.usual_removed * fading + removed,
    )


def is_wave(watch: RemovalStats) -> bool:
    """Whether more registrations end than can be believed."""
    usual = TIMES_USUAL * watch.usual_share
    if watch.recent_mismatched >= MISMATCHES_MIN:
        share = watch.recent_mismatched / watch.recent
        if share > max(MISMATCH_SHARE_MIN, usual):
            return True
    return watch.recent_removed >= REMOVALS_MIN and watch.recent_share > max(SHARE_MIN, usual)


def describe(watch: RemovalStats, project_id: str) -> str:
    """Why it was stopped, for a marketer."""
    share, usual = f"{watch.recent_share:.0%}", f"{watch.usual_share:.0%}"
    if watch.recent_mismatched > watch.recent_removed / 2:
        sentence = f"{share} of the devices reached last belong to another Firebase project than "
        sentence += (
            f"{project_id}. Most likely the key or the source's Firebase app is the wrong one"
        )
    else:
        sentence = f"{share} of the devices reached last through {project_id} are gone, says FCM "
        sentence += f"(usually {usual})"
    return f"{sentence}. {_CHOICE}"


def settled(watch: RemovalStats, *, was_right: bool) -> RemovalStats:
    """A person has decided. What was right is usual from now on, until better days say otherwise;
    what was wrong is forgotten."""
    if not was_right:
        return replace(watch, recent=0.0, recent_removed=0.0, recent_mismatched=0.0)
    return RemovalStats(
        usual=watch.recent + EXPECTED_ANSWERS,
        usual_removed=watch.recent_share * (watch.recent + EXPECTED_ANSWERS),
    )
