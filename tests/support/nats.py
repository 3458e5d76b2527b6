"""A NATS server of our own, with JetStream: started from the package's binary, stopped at the end.

It can be killed as a machine kills it, frozen, and started again on the same files and port.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Self

from support.patience import PATIENCE
from support.ports import free_ports


class NatsServer:
    """A context: `url(stream)` names a broker in it."""

    def __init__(
        self,
        jetstream: Mapping[str, str] | None = None,
        more: str = "",
        *,
        has_jetstream: bool = True,
    ) -> None:
        """`jetstream`: settings of the server's `jetstream` block, such as `max_file_store`;
        `more`: lines for its configuration file."""
        self._has_jetstream = has_jetstream
        self._jetstream = dict(jetstream or {})
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.home = Path(tempfile.mkdtemp(prefix="clarion-nats-"))
        [self.port] = free_ports(1)
        settings = {"store_dir": f'"{self.home}/data"'} | self._jetstream
        block = "\n".join(f"  {name}: {value}" for name, value in settings.items())
        block = f"jetstream {{\n{block}\n}}" if self._has_jetstream else ""
        (self.home / "nats.conf").write_text(
            f"listen: 127.0.0.1:{self.port}\n{block}\n{self._more}\n"
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> None:
        """Start it, again or for the first time, and wait until it answers."""
        binary = Path(sys.executable).with_name("nats-server")
        assert binary.is_file(), "run `make test`: it installs this"
        with (self.home / "log").open("ab") as told:
            self._process = subprocess.Popen(
                [str(binary), "-c", str(self.home / "nats.conf")], stdout=told, stderr=told
            )
        until = monotonic() + PATIENCE
        while monotonic() < until and self._process.poll() is None:
            if self._answers():
                return
        raise RuntimeError(f"NATS did not start: {(self.home / 'log').read_text()[-2_000:]}")

    def kill(self) -> None:
        """End it with no chance to write anything more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Connections stay open, and nothing is answered once this returns."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        # A busy machine stops it some time after the signal.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def url(self, stream: str) -> str:
        return f"nats://127.0.0.1:{self.port}?stream={stream}"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            assert self._process is not None
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
            return False


@contextmanager
def nats_cluster(size: int) -> Iterator[list[NatsServer]]:
    """Servers that know each other by their place in the list; they elect a leader soon after."""
    ports = free_ports(size)
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                NatsServer(
                    more=f'server_name: "{number}"\n'
                    f"cluster {{ name: c, listen: 127.0.0.1:{port}, routes: [{routes}] }}"
                )
            )
            for number, port in enumerate(ports)
        ]
