"""An installation to measure: SQLite in a directory, or a PostgreSQL of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.process import LOAD_CORE, SERVER_CORE, Used, pin, used
from clarion.cli.installation.first_start import first_start
from clarion.clock import SystemClock
from clarion.config import Settings, read_settings
from clarion.deliveries.apps.pacing import PER_MINUTE_MAX, Limits
from clarion.deliveries.apps.store import FirebaseApp, bind_first_app, put_app, set_limits
from clarion.providers.fcm.credentials import ServiceAccount, parse_service_account
from clarion.storage.database import Database
from clarion.storage.vault import load_or_make_vault
from support.postgres import PostgresServer
from support.sources import set_source

SECRET = "a secret for measuring only"  # noqa: S105
STORES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where rows go. `pid` of the database's server, if it has one."""

    name: str
    url: str
    directory: Path
    pid: int | None
    programs: Path | None = None
    """Where pg_dump of the server's version is."""

    def used(self) -> Used:
        return Used(0.0, 0.0) if self.pid is None else used(self.pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A Clarion that has been started once."""

    environment: Mapping[str, str]
    settings: Settings
    workspace_id: UUID
    source_id: UUID
    write_key: str = field(repr=False)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """For statements of the measurement itself."""
        yield Database(self.settings.database_url)


@contextmanager
def store(name: str, directory: Path) -> Iterator[Store]:
    """An empty store; a server's is on the core of Clarion itself."""
    directory.mkdir(parents=True, exist_ok=True)
    if name == "sqlite":
        url = f"sqlite:///{directory}/clarion.db"
        yield Store(name=name, url=url, directory=directory, pid=None)
        return
    pin(SERVER_CORE)  # what is started now stays there
    with PostgresServer(durable=True) as server:
        pin(LOAD_CORE)
        yield Store(
            name=name,
            url=server.url("bench"),
            directory=directory,
            pid=server.pid,
            programs=server.programs,
        )


async def make_database(store: Store) -> None:
    """An empty database; one that is there is dropped."""
    if store.name == "sqlite":
        for file in store.directory.glob("clarion.db*"):
            file.unlink()
        return
    base, _, name = store.url.rpartition("/")
    url = f"{base}/postgres".replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        await connection.execute(text(f'CREATE DATABASE "{name}"'))
    await engine.dispose()


async def install(store: Store, more: Mapping[str, str]) -> Installation:
    """A first start in an empty database."""
    await make_database(store)
    environment = {
        "CLARION_DATA_DIR": str(store.directory),
        "CLARION_DATABASE_URL": store.url,
        "CLARION_LISTEN": "127.0.0.1:0",
        "CLARION_SECRET_KEY": SECRET,
        "CLARION_LOG": "warning,json",
        **more,
    }
    settings = read_settings(environment)
    assert isinstance(settings, Settings), settings
    database = Database(settings.database_url)
    try:
        made = await first_start(settings, database, SystemClock())
        assert made is not None and made.source_id is not None
        async with database.write() as connection:
            await set_source(connection, made.workspace_id, made.source_id, limit=None)
    finally:
        await database.close()
    assert made.write_key is not None
    return Installation(
        environment=environment,
        settings=settings,
        workspace_id=made.workspace_id,
        source_id=made.source_id,
        write_key=made.write_key,
    )


async def add_app(installation: Installation, key: Mapping[str, str]) -> FirebaseApp:
    """A Firebase app for its source."""
    clock = SystemClock()
    account = parse_service_account(msgspec.json.encode(key), may_be_simulated=True)
    assert isinstance(account, ServiceAccount)
    vault = load_or_make_vault(installation.settings.data_dir, SECRET)
    with installation.database() as database:
        try:
            async with database.write() as connection:
                app = await put_app(
                    connection,
                    workspace_id=installation.workspace_id,
                    app_id=clock.new_id(),
                    project_id=account.project_id,
                    client_email=account.client_email,
                    private_key_id=account.private_key_id,
                    sealed_key=vault.seal(msgspec.json.encode(dict(account.info))),
                    now=clock.now(),
                )
                await bind_first_app(connection, app)
                # No quota and no ramp that is felt: what is measured is the sender's own speed.
                limits = Limits(per_minute=PER_MINUTE_MAX)
                await set_limits(connection, installation.workspace_id, app.id, limits)
        finally:
            await database.close()
    return app
