"""A setting that stands in a file: `CLARION_SECRET_KEY_FILE` names a file that holds what
`CLARION_SECRET_KEY` would, as Docker and Kubernetes hand out secrets."""

from collections.abc import Mapping
from pathlib import Path

SUFFIX = "_FILE"
BYTES_MAX = 65_536


def file_of(environment: Mapping[str, str], name: str) -> Path | None:
    """The file that a setting is said to stand in; None: none is named."""
    place = environment.get(f"{name}{SUFFIX}", "").strip()
    return Path(place).expanduser().absolute() if place else None


def value_of(environment: Mapping[str, str], name: str) -> str:
    """A setting by its variable or its file, without blanks around it; empty: it is not given.
    Raises ValueError with the cure, which never repeats what a file holds."""
    value, file = environment.get(name, "").strip(), file_of(environment, name)
    if file is None:
        return value
    if value:
        raise ValueError(f"stands beside {name}: take one of them away")
    try:
        with file.open("rb") as opened:
            content = opened.read(BYTES_MAX + 1)
        text = content.decode().strip()
    except OSError as error:
        raise ValueError(f"{file} can not be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not in UTF-8") from None
    if len(content) > BYTES_MAX or "\n" in text:
        raise ValueError(f"{file} has to hold the value alone, on one line")
    if not text:
        raise ValueError(f"{file} is empty")
    return text
