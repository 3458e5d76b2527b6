"""What `clarion check` sees of the machine: files, disk, user, clock, and the way to FCM."""

import http.client
import os
import shutil
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clarion.cli.installation.first_start import sqlite_file
from clarion.cli.installation.private_files import cure_of, open_to_others
from clarion.clock import SystemClock
from clarion.config import Settings

FCM_CONNECT_SECONDS = 5.0
FILES_SHOWN = 5
CLOCK_WRONG_MAX = timedelta(seconds=30)
"""Google takes no credentials of a clock that is minutes off; its own answer is to the second."""
MOUNTS = Path("/proc/self/mountinfo")
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs",
     "gpfs", "ocfs2", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone",
     "fuse.ceph"}
)  # fmt: skip

Finding = dict[str, Any]


def finding(part: str, wrong: str | None, detail: str) -> Finding:
    if wrong:
        return {"part": part, "result": "wrong", "detail": f"{wrong} ({detail})"}
    return {"part": part, "result": "ok", "detail": detail}


def warning(part: str, detail: str) -> Finding:
    return {"part": part, "result": "warning", "detail": detail}


def check_machine(settings: Settings) -> list[Finding]:
    """What the settings name on this machine."""
    return [
        *_check_user(),
        _check_files(settings),
        *_check_disk(settings),
        *_check_file_system(settings),
        *_check_public_url(settings),
    ]


def file_system_of(path: Path, mounts: str) -> str:
    """The kind of file system that an absolute path is on, by the lines of `/proc/self/mountinfo`:
    the mount with the longest path that leads to it, the last of those alike. Empty: not known."""
    longest, kind = -1, ""
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split()
        if not dash or len(fields) < 5:
            continue
        point = fields[4].encode().decode("unicode_escape")  # blanks are \040
        if path.is_relative_to(point) and len(point) >= longest:
            longest, kind = len(point), after.split()[0]
    return kind


def check_fcm(settings: Settings) -> list[Finding]:
    """Whether FCM can be reached, and how late it is there. Blocks."""
    parts = urlsplit(settings.fcm_url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((host, port), timeout=FCM_CONNECT_SECONDS):
            pass
    except OSError as error:
        return [finding("FCM", f"can not be reached ({error})", settings.fcm_url)]
    findings = [finding("FCM", None, settings.fcm_url)]
    at = _time_there(settings, host, port) if parts.scheme == "https" else None
    return findings if at is None else [*findings, _clock_finding(at - SystemClock().now())]


def _clock_finding(ahead: timedelta) -> Finding:
    """`ahead`: how much later it is there."""
    wrong = None
    if abs(ahead) > CLOCK_WRONG_MAX:
        wrong = "is wrong, and Google takes no credentials: let NTP set it"
    return finding("clock", wrong, f"{abs(ahead.total_seconds()):,.0f} s from FCM's")


def _time_there(settings: Settings, host: str, port: int) -> datetime | None:
    """What an answer's `Date` says; None: there is none, which is no matter of the clock."""
    trusted = ssl.create_default_context()
    if settings.fcm_ca is not None:
        trusted.load_verify_locations(cafile=settings.fcm_ca)
    asked = http.client.HTTPSConnection(host, port, timeout=FCM_CONNECT_SECONDS, context=trusted)
    try:
        asked.request("HEAD", "/")
        return parsedate_to_datetime(asked.getresponse().headers["Date"]).astimezone(UTC)
    except (OSError, ValueError, TypeError, http.client.HTTPException):
        return None
    finally:
        asked.close()


def _check_user() -> list[Finding]:
    if os.geteuid() != 0:
        return []
    return [warning("user", "it runs as root: give it a user of its own")]


def _check_files(settings: Settings) -> Finding:
    paths = open_to_others(settings)
    shown = ", ".join(path.name for path in paths[:FILES_SHOWN])
    if len(paths) > FILES_SHOWN:
        shown += f" and {len(paths) - FILES_SHOWN} more"
    wrong = f"may be read by others: {cure_of(paths, settings)}" if paths else None
    return finding("files", wrong, shown or "for their owner alone")


def _check_disk(settings: Settings) -> list[Finding]:
    directory, least = settings.database_directory, settings.backpressure.disk_free_min
    if directory is None or not directory.is_dir():
        return []
    free = shutil.disk_usage(directory).free
    wrong = None
    if free < least:
        wrong = "is nearly full, and no events are taken: free some, see CLARION_DISK_FREE_MIN"
    return [finding("disk", wrong, f"{free / 1e9:,.1f} GB free, {least / 1e9:,.1f} needed")]


def _check_file_system(settings: Settings) -> list[Finding]:
    file = sqlite_file(settings)
    if file is None or not MOUNTS.exists():
        return []
    kind = file_system_of(file.absolute().resolve(), MOUNTS.read_text())
    wrong = None
    if kind in NETWORK_FILE_SYSTEMS:
        wrong = "is on the network, where locks of SQLite do not hold: move it to a disk of this "
        wrong += "machine, or use PostgreSQL"
    return [finding("file system", wrong, kind)] if kind else []


def _check_public_url(settings: Settings) -> list[Finding]:
    if settings.public_url is None:
        return []
    parts = urlsplit(settings.public_url)
    if parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return [finding("public URL", None, settings.public_url)]
    message = (
        f"{settings.public_url}: phones refuse plain http, and whoever is in between can read it"
    )
    return [warning("public URL", message)]
