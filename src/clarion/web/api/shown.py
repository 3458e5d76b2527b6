"""Read models of the stations as what goes over the wire."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def shown(view: Any, kind: type[T], **more: Any) -> T:
    """The fields of `view` that `kind` has, and `more`."""
    fields = {name: getattr(view, name) for name in kind.__struct_fields__ if name not in more}
    return msgspec.convert(fields | more, kind, from_attributes=True)
