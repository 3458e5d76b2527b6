"""A SQLite file that is removed, replaced, damaged or not to be written is noticed, before anybody
is told that something is stored."""

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.schema import audience_members
from clarion.storage.sqlite.file import check_start, damage_of

PAGE = 4_096
NOBODY = 65_534
NOTES = 200


@contextmanager
def not_to_be_written(path: Path) -> Iterator[None]:
    """As on a disk that was mounted read-only, meanwhile."""
    path.chmod(0o444)
    for directory in path.parents[:4]:  # up to the one that pytest makes for its user alone
        directory.chmod(directory.stat().st_mode | 0o055)
    path.parent.chmod(0o777)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)  # root writes whatever its mode says
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        path.chmod(0o644)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    return tmp_path / "clarion.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{path}")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)"))
        for number in range(NOTES):
            await connection.execute(
                text("INSERT INTO notes (text) VALUES (:words)"), {"words": f"{number}" * 500}
            )
    yield database
    await database.close()


async def note(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO notes (text) VALUES ('x')"))


async def notes(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM notes"))).scalar_one())


def there(path: Path) -> bool:
    return path.exists()


def move(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def remove(path: Path) -> None:
    path.unlink()


def remove_log(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


def move_directory(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


@pytest.mark.parametrize("harm", [remove, remove_log, replace, move_directory])
async def test_a_file_that_is_not_the_one_that_was_opened_takes_nothing_more(
    database: Database, path: Path, harm: Callable[[Path], None]
) -> None:
    await database.ping()
    harm(path)
    for do in (note, Database.ping, Database.empty_log):
        with pytest.raises(StorageUnavailable, match="removed or replaced") as refused:
            await do(database)
        assert "put the file" in refused.value.cure
    assert harm in (replace, remove_log) or not there(path), "no empty one is made"


async def test_a_file_that_is_put_back_is_used_again(database: Database, path: Path) -> None:
    move(path, "away")
    with pytest.raises(StorageUnavailable):
        await note(database)
    move(path.with_name("away"), path.name)
    await note(database)
    await database.ping()
    assert await notes(database) == NOTES + 1


async def test_other_processes_that_come_and_go_are_no_reason(
    database: Database, path: Path
) -> None:
    for _ in range(3):
        other = Database(f"sqlite:///{path}")
        await note(other)
        await other.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await note(database)
        await database.ping()
    assert await notes(database) == NOTES + 6


async def test_a_database_that_was_closed_and_is_used_again_is_no_reason(
    database: Database, path: Path
) -> None:
    await database.close()
    assert not path.with_name(path.name + "-wal").exists()
    await note(database)
    await database.ping()
    assert await notes(database) == NOTES + 1


def overwrite_from(path: Path, page: int) -> None:
    for number in range(page, path.stat().st_size // PAGE):
        overwrite(path, number)


def overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(os.urandom(PAGE))


async def test_a_damaged_file_is_found_at_the_start(database: Database, path: Path) -> None:
    await database.close()
    assert damage_of(path) is None
    check_start(path)
    overwrite(path, 3)
    assert damage_of(path)
    with pytest.raises(StorageUnavailable, match="damaged") as refused:
        check_start(path)
    assert "backup" in refused.value.cure


@pytest.mark.parametrize("contents", [b"hello " * 1_000, b"SQLite format 3\x00" + b"\xff" * 8_192])
def test_a_file_that_is_no_database_is_found_at_the_start(path: Path, contents: bytes) -> None:
    path.write_bytes(contents)
    with pytest.raises(StorageUnavailable, match="damaged"):
        check_start(path)


def test_a_file_that_is_empty_or_not_there_is_a_new_one(path: Path) -> None:
    check_start(path)
    assert not path.exists(), "a look must not make it"
    path.touch()
    check_start(path)
    assert path.read_bytes() == b""


async def test_once_damage_is_met_nothing_more_is_written(database: Database, path: Path) -> None:
    await database.empty_log()
    await database.close()
    overwrite_from(path, 3)
    with pytest.raises(StorageUnavailable, match="malformed") as refused:
        async with database.read() as connection:
            await connection.execute(text("SELECT sum(length(text)) FROM notes"))
    assert "restore the backup" in refused.value.cure
    for do in (note, Database.ping):
        with pytest.raises(StorageUnavailable, match="malformed"):
            await do(database)


async def test_a_file_that_could_not_be_written_for_a_while_is_written_again(
    database: Database, path: Path
) -> None:
    """Opened read-only, a connection of SQLite stays so for ever."""
    await database.close()
    with not_to_be_written(path):
        for do in (note, Database.ping):
            with pytest.raises(StorageUnavailable) as refused:
                await do(database)
            assert "write" in refused.value.cure
    await database.ping()
    await note(database)


async def test_after_a_write_that_failed_ready_means_that_writing_works(
    database: Database,
) -> None:
    async with database.write() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StorageUnavailable) as refused:
        for _ in range(1_000):
            async with database.write() as connection:
                await connection.execute(
                    text("INSERT INTO notes (text) VALUES (:words)"), {"words": "x" * 100_000}
                )
    assert "room" in refused.value.cure
    await database.ping()


def test_what_an_old_sqlite_takes_for_damage_is_looked_at_again(path: Path) -> None:
    """SQLite before 3.42 finds NULL in tables without row ids whose key is not their first columns,
    such as the members of static lists; what is wrong besides is still found."""
    members = CreateTable(audience_members).compile(dialect=sqlite.dialect())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(str(members))
        connection.execute("INSERT INTO audience_members VALUES (x'01', x'02', 'ada')")
        assert damage_of(path) is None
        connection.execute("CREATE TABLE strange (x)")
        connection.execute("INSERT INTO strange VALUES (NULL)")
        connection.execute("PRAGMA writable_schema = ON")
        changed = "CREATE TABLE strange (x NOT NULL)"
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'strange'", (changed,))
    assert damage_of(path) == "NULL value in strange.x"
