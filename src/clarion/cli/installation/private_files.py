"""Whether what Clarion keeps in files is for its owner alone."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from clarion.cli.installation.first_start import sqlite_file
from clarion.config import Settings

GROUP_AND_OTHERS, OTHERS = 0o077, 0o007


def open_to_others(settings: Settings) -> list[Path]:
    """The data directory, what is in it and the database's files, as far as others than their
    owner may read or change them."""
    return [path for path in _kept(settings) if _is_open(path)]


def cure_of(paths: list[Path], settings: Settings) -> str:
    """What to type so that they are for their owner alone."""
    elsewhere = [path for path in paths if not path.is_relative_to(settings.data_dir)]
    inside = [settings.data_dir] if len(elsewhere) < len(paths) else []
    return f"chmod -R go= {shlex.join(str(path) for path in [*inside, *elsewhere])}"


def _kept(settings: Settings) -> Iterator[Path]:
    directory = settings.data_dir
    if directory.is_dir():
        yield directory
        yield from sorted(directory.iterdir())
    file = sqlite_file(settings)
    if file is not None and file.parent != directory:
        yield from (Path(f"{file}{end}") for end in ("", "-wal", "-shm"))


def _is_open(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    if not S_ISDIR(status.st_mode) and not S_ISREG(status.st_mode):
        return False
    # A volume that is another's lets us in by its group.
    is_ours = status.st_uid == os.geteuid()
    return bool(status.st_mode & (GROUP_AND_OTHERS if is_ours else OTHERS))
