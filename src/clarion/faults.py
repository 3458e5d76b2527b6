"""Expected failures, as values: what is wrong with a field, and why something was not done. Pure.

Defined once, below everything else. Exceptions are for defects, and for what is away for a while.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that can not be accepted, and what to do about it."""

    field: str
    """Its path in the input, such as `content.title`."""
    message: str
    """Follows the field's name in a sentence: "must be a text of 1 to 200 characters"."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a command changed nothing. Never holds a secret."""

    code: str
    """What programs compare: one of the API's error codes (`docs/reference/errors.md`)."""
    message: str
    """A sentence for people, which names the cure where there is one."""
    faults: tuple[Fault, ...] = ()
    """The fields that are to blame, all of them at once."""


def invalid(*faults: Fault, code: str = "invalid") -> Rejected:
    """Rejected for its fields; the message is about the first of them."""
    return Rejected(code, f"{faults[0].field} {faults[0].message}.", faults)


def not_found(what: str) -> Rejected:
    """There is no such thing in the actor's workspace. What was asked for is not repeated: it may
    be a secret that was put in the wrong place."""
    return Rejected("not_found", f"There is no such {what} in this workspace.")
