"""A copy of a PostgreSQL database, by PostgreSQL's own pg_dump and pg_restore.

What is restored is Clarion's only once it says so itself: the row that names the revision of the
tables is left out by `load_tables` and written by whoever calls it, in the transaction that makes
the copy fit to be used. Until then every process refuses to start on it.
"""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

from clarion.storage.backup.sqlite_backup import make_private
from clarion.storage.outage import StorageUnavailable
from clarion.storage.postgres.address import PostgresAddress, read_postgres_url
from clarion.text import without_passwords

MAGIC = b"PGDMP"
"""What a dump in the custom format begins with."""
PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")
"""Where packages of systems put the programs of each version."""
_REVISION = "alembic_version"
_LEFT_OUT = re.compile(rf" TABLE DATA \S+ {_REVISION} | (?:COMMENT - )?SCHEMA (?:- )?public ")
"""Of a dump's table of contents: the revision, and the schema that every new database has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    path: Path
    version: int
    """The major one, such as 18."""


async def dump_database(url: str, target: Path, server_version: int) -> None:
    """Write the database as it is at one instant to `target`, a file of mode 0600, while processes
    go on. Raises StorageUnavailable with the cure."""
    program = await _program("pg_dump", server_version)
    make_private(target)
    address, secrets = _libpq(read_postgres_url(url))
    words = ["--format=custom", "--no-owner", "--no-privileges", f"--file={target}"]
    await _run(program, *words, f"--dbname={address}", secrets=secrets)


async def dumped_revision(file: Path) -> str | None:
    """The revision of the tables in a dump; None: it holds none of Clarion's."""
    program = await _program("pg_restore", 0)
    text = await _run(program, "--data-only", f"--table={_REVISION}", "--file=-", str(file))
    copied = re.search(rf"^COPY \S*{_REVISION} .*;\n(\w+)$", text, re.MULTILINE)
    return None if copied is None else copied[1]


async def load_tables(url: str, file: Path, server_version: int) -> None:
    """Load a dump into a database that holds none of its tables: all of it or nothing, without the
    row that names the revision."""
    program = await _program("pg_restore", server_version)
    address, secrets = _libpq(read_postgres_url(url))
    contents = await _run(program, "--list", str(file))
    wanted = [line for line in contents.splitlines() if not _LEFT_OUT.search(line)]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as chosen:
        chosen.write("\n".join(wanted) + "\n")
        chosen.flush()
        words = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        words += [f"--use-list={chosen.name}", f"--dbname={address}", str(file)]
        await _run(program, *words, secrets=secrets)


def _libpq(address: PostgresAddress) -> tuple[str, dict[str, str]]:
    """The address for PostgreSQL's own programs, and what is no word of a command line: that can be
    seen by everybody on the machine."""
    base, _, query = address.dsn.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    settings = dict(address.server_settings)
    secrets = {}
    user, colon, password = base.removeprefix("postgresql://").rpartition("@")[0].partition(":")
    if colon:
        base = base.replace(f"{user}:{password}@", f"{user}@", 1)
        secrets["PGPASSWORD"] = unquote(password)
    if "password" in options:
        secrets["PGPASSWORD"] = options.pop("password")
    if address.verifies_host and not address.has_authorities:
        options["sslrootcert"] = "system"
    if "search_path" in settings:
        path = settings.pop("search_path").replace(" ", "\\ ")
        settings["options"] = f"{settings.get('options', '')} -c search_path={path}".strip()
    options |= settings | {"connect_timeout": f"{address.connect_seconds:.0f}"}
    return f"{base}?{urlencode(options, quote_via=quote)}", secrets


async def _program(name: str, server_version: int) -> Program:
    """The program of the server's own version, else of the nearest later one: PostgreSQL's refuse
    servers that are newer than they are."""
    programs = [program for path in _paths(name) if (program := await _version(path)) is not None]
    usable = [program for program in programs if program.version >= server_version]
    if usable:
        # The first of those alike is the one in the PATH.
        wants_newest = server_version == 0
        return min(
            usable, key=lambda program: -program.version if wants_newest else program.version
        )
    there = ", ".join(f"{program.path} of {program.version}" for program in programs) or "none"
    needed = f" {server_version} or later" if server_version else ""
    raise StorageUnavailable(
        f"{name}{needed} is needed and not there (found: {there})",
        cure=f"Install PostgreSQL's client programs (postgresql-client), or put {name} into PATH.",
    )


def _paths(name: str) -> Iterator[Path]:
    in_path = shutil.which(name)
    if in_path is not None:
        yield Path(in_path)
    for place in PLACES:
        yield from sorted(Path("/").glob(f"{place}/{name}"))


async def _version(path: Path) -> Program | None:
    try:
        text = await _run(Program(path=path, version=0), "--version")
    except (OSError, StorageUnavailable):
        return None
    number = re.search(r"(\d+)(?:\.\d+|devel|beta|rc)", text)
    return None if number is None else Program(path=path, version=int(number[1]))


async def _run(program: Program, *words: str, secrets: Mapping[str, str] | None = None) -> str:
    """What the program prints. Raises StorageUnavailable with what it says where it fails."""
    process = await asyncio.create_subprocess_exec(
        program.path,
        *words,
        env=os.environ | dict(secrets or {}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        printed, errors = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        said = without_passwords(lines[0]) if lines else f"exit code {process.returncode}"
        raise StorageUnavailable(f"{program.path.name} has failed: {said}")
    return printed.decode(errors="replace")
