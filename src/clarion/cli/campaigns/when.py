"""The flags that say when a campaign launches."""

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

Flag = Annotated[bool, Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When it launches.

    Parameters
    ----------
    at
        "now", or an ISO 8601 time with its offset; with --zone or --own-time a local time.
    zone
        The IANA name of the time zone of --at.
    own_time
        Each customer gets it when --at comes in their own time zone.
    fallback_zone
        The zone of customers of whom none is known; without it, the workspace's.
    past
        Customers in whose zone that is past get it at_once, or tomorrow.
    late
        Who could not get it in time, since nothing ran, gets it tomorrow, or skip them.
    repeat
        daily, weekly, monthly, or an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH.
    until
        The last day on which it repeats.
    except_on
        A day on which it does not; may be given several times.
    missed
        An occurrence that could not be launched in time: skip it, or make_up.
    """

    at: str | None = None
    zone: str | None = None
    own_time: Flag = False
    fallback_zone: str | None = None
    past: str | None = None
    late: str | None = None
    repeat: str | None = None
    until: str | None = None
    except_on: Annotated[list[str] | None, Parameter(negative="")] = None
    missed: str | None = None

    def body(self) -> dict[str, Any]:
        """What the API is told; nothing where no flag was given."""
        beside = {"fallback": self.fallback_zone, "past": self.past, "late": self.late}
        own = {name: value for name, value in beside.items() if value is not None}
        given: dict[str, Any] = {"at": self.at, "zone": self.zone}
        if self.own_time or own:
            given["own_time"] = own
        repeat = {
            "rule": self.repeat,
            "until": self.until,
            "except": self.except_on or None,
            "missed": self.missed,
        }
        repeat = {name: value for name, value in repeat.items() if value is not None}
        given["repeat"] = repeat or None
        return {name: value for name, value in given.items() if value is not None}

    def forecast(self) -> dict[str, Any]:
        """The same as a query of the forecast. Of one that repeats, of its first time."""
        query = {"at": self.at, "zone": self.zone}
        if self.repeat is not None:
            query["repeat"] = self.repeat
        if "own_time" in self.body():
            query["own_time"] = "true"
        return {name: value for name, value in query.items() if value is not None}


AT_NO_TIME = When()
