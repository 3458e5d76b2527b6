"""Read models of the stations as what goes over the wire."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def shown(view: Any, kind: type[T]) -> T:
    """The fields of `view` that `kind` has."""
    return msgspec.convert(view, kind, from_attributes=True)
