"""A built image, run as an engine runs it: namespaces of its own, its user, no new privileges, a
root file system that can only be read, and a volume. See `support.image`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM
from time import monotonic, sleep

from support.image import Stage
from support.patience import PATIENCE, POLL_SECONDS

_START = """
set -e
root=$1 python=$2; shift 2
mount --bind "$root" "$root"
while [ "$1" != -- ]; do mount --bind "$1" "$root$2"; shift 2; done; shift
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount -o remount,ro,bind "$root" "$root"
"$python" -c "$LOOPBACK"
exec "$@"
"""
_LOOPBACK = (
    "import fcntl, socket, struct\n"
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh22x', b'lo', 1))"
)
"""SIOCSIFFLAGS, IFF_UP: a network namespace begins with its loopback down."""


class Container:
    """A running image: `docker run --read-only --tmpfs /tmp IMAGE`."""

    def __init__(self, stage: Stage, directory: Path) -> None:
        self._stage = stage
        self.log = directory / "log"
        mounts = []
        for volume in stage.volumes:
            kept = directory / "volume" / volume.strip("/").replace("/", "-")
            kept.parent.mkdir(exist_ok=True)
            # A new volume begins as what the image has there, owner and mode too.
            subprocess.run(["cp", "-a", str(stage.inside(volume)), str(kept)], check=True)
            mounts += [str(kept), volume]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
                 "/bin/sh", "-c", _START, "sh", str(stage.root), sys.executable, *mounts, "--",
                 *self._within([*stage.entrypoint, *stage.command])],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={"LOOPBACK": _LOOPBACK,
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )  # fmt: skip

    def _within(self, command: list[str], **settings: str) -> list[str]:
        stage = self._stage
        environment = stage.environment | settings
        return [
            *("setpriv", "--no-new-privs", "chroot", f"--userspec={stage.user}", "--groups="),
            *(str(stage.root), "/usr/bin/env", "-i", "-C", stage.directory),
            *(f"{name}={value}" for name, value in environment.items()),
            *command,
        ]

    @property
    def first(self) -> int:
        """The process that is 1 within."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(children.read_text().split()[0])

    def execute(self, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """`docker exec`: another process beside the first one."""
        entered = ["nsenter", "--target", str(self.first), "--mount", "--net", "--pid", "--"]
        return subprocess.run(
            [*entered, *self._within(list(command), **settings)],
            capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def healthy(self) -> None:
        """Returns when the image's own health check says so."""
        latest = monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, self.log.read_text()
            asked = self.execute(*self._stage.health) if self._is_begun() else None
            if asked is not None and asked.returncode == 0:
                return
            assert monotonic() < latest, (asked, self.log.read_text())
            sleep(POLL_SECONDS)

    def _is_begun(self) -> bool:
        """Whether the first process is the image's, and no longer what prepares its root."""
        try:
            return Path(f"/proc/{self.first}/root").readlink() == self._stage.root.resolve()
        except (IndexError, OSError):
            return False

    def stop(self) -> int:
        """`docker stop`; returns how it ended."""
        subprocess.run(["kill", f"-{SIGTERM.value}", str(self.first)], check=True)
        return self._process.wait(PATIENCE)

    def end(self) -> None:
        """Its first process ends all others; it runs as another user than it began as, and so
        `--kill-child` does not reach it."""
        with suppress(IndexError, OSError):  # it has ended
            os.kill(self.first, SIGKILL)
        self._process.wait(PATIENCE)


@contextmanager
def running(stage: Stage, directory: Path) -> Iterator[Container]:
    container = Container(stage, directory)
    try:
        yield container
    finally:
        container.end()
