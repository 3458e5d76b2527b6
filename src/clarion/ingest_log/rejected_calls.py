"""Calls that were turned away whole, of sources that are known all the same. Pure.

Nothing of such a call is kept, so no table tells of it: it is noted here, in memory, and written
down now and then (`rejected_call_log.py`). All are counted; those that are alike in source, code
and what they are about are told in one line each time.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from clarion.faults import Rejected
from clarion.ingest_log.outcome import Entry, Stage, hour_of, refused_entry
from clarion.ingest_log.rejection import LABEL_CHARACTERS_MAX, RejectedEvent
from clarion.ingest_log.tally import OTHER, Kind, Names
from clarion.sources.auth_result import Place
from clarion.text import is_storable

ABOUTS_MAX = 20
"""Told apart of a source in an hour (a process): callers choose their words."""
MESSAGE_CHARACTERS_MAX = 300


class Alike(Struct):
    """Calls of one hour that are alike."""

    why: str
    first_at: datetime
    last_at: datetime
    calls: int = 0


class RejectedCallBuffer:
    """What there is to write of calls that were turned away."""

    def __init__(self) -> None:
        self._alike: dict[tuple[Place, datetime, str, str], Alike] = {}
        self._abouts = Names(ABOUTS_MAX)

    def __len__(self) -> int:
        """How many lines there are to write."""
        return len(self._alike)

    def note(self, place: Place, why: Rejected, at: datetime, about: str = "") -> None:
        """One call more."""
        hour, about = hour_of(at), _storable(about, LABEL_CHARACTERS_MAX)
        admit = self._abouts.admit
        if about and not admit(place.source_id, hour, Kind.TURNED_AWAY, why.code, about):
            about = OTHER
        calls = self._alike.setdefault((place, hour, why.code, about), Alike("", at, at))
        calls.why, calls.last_at = _storable(why.message, MESSAGE_CHARACTERS_MAX), at
        calls.calls += 1

    def take(self) -> Iterator[tuple[Entry, str]]:
        """(What is told of calls that were alike, what they are about): each once."""
        taken, self._alike = self._alike, {}
        for (place, _, code, about), calls in taken.items():
            message = calls.why
            if calls.calls > 1:
                message += f" {calls.calls:,} calls since {calls.first_at:%H:%M:%S} UTC."
            refusal = RejectedEvent(message_id=None, code=code, message=message, excerpt="")
            yield (
                refused_entry(*place, calls.last_at, Stage.CALL, refusal, calls.calls),
                about,
            )


def _storable(text: str, characters_max: int) -> str:
    text = text[:characters_max]
    return text if is_storable(text) else text.encode("ascii", "replace").decode().replace("\0", "")
