"""A form that was sent when its session was over: it is kept in the page that says so, to be sent
again. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PLACE = "/console/"
BYTES_MAX = 200_000
_OF_SECRETS = ("/console/me/password", "/console/connections/firebase", "/console/sign")
"""Forms that hold a password or a key, which go back into no page; and the way out."""


@dataclass(frozen=True, slots=True)
class KeptForm:
    """`path`: where it was sent; `fields`: in order, without the token of the former session."""

    path: str
    fields: tuple[tuple[str, str], ...]

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What there is to be seen of it."""
        return [(name, value) for name, value in self.fields if value.strip()]

    def dump(self) -> str:
        return json.dumps([self.path, self.fields], ensure_ascii=False)


def kept_form(
    path: str, many: Mapping[str, Sequence[str]], *, without: str, has_files: bool
) -> KeptForm | None:
    """None: it holds what is not kept, or a file, which no page can give back. `without`: the field
    of the token."""
    if has_files or path.startswith(_OF_SECRETS):
        return None
    fields = [(name, value) for name, values in many.items() for value in values if name != without]
    form = KeptForm(path, tuple(fields))
    return form if fields and len(form.dump().encode()) <= BYTES_MAX else None


def read_kept(text: str) -> KeptForm | None:
    """What `dump` wrote; None: it is none, or leads out of the console."""
    try:
        path, fields = json.loads(text)
        pairs = tuple((str(name), str(value)) for name, value in fields)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(path, str) or not path.startswith(PLACE) or "\\" in path:
        return None
    return KeptForm(path, pairs)
