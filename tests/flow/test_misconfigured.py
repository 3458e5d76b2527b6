"""What an operator has to put right is one sentence with the cure, in every command."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import Clarion
from support.nats import NatsServer
from support.postgres import PostgresServer

COMMANDS = [("serve",), ("run", "sender"), ("migrate",), ("check",), ("keys", "list")]


def no_role(server: PostgresServer) -> str:
    return server.url("postgres").replace("postgres@", "stranger@")


def no_database(server: PostgresServer) -> str:
    return server.url("nowhere")


def no_connections(server: PostgresServer) -> str:
    return server.url("template0")


def unknown_option(server: PostgresServer) -> str:
    return server.url("postgres") + "?options=-c%20nonsense%3D1"


def no_such_value(server: PostgresServer) -> str:
    return server.url("postgres") + "?options=-c%20statement_timeout%3Dnever"


def no_server(server: PostgresServer) -> str:
    return "postgresql://postgres@127.0.0.1:1/clarion"


def no_certificate(server: PostgresServer) -> str:
    return server.url("postgres") + "?sslmode=require"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("url", "words"),
    [
        (no_role, "CREATE ROLE"),
        (no_database, "CREATE DATABASE"),
        (no_connections, "ALLOW_CONNECTIONS"),
        (unknown_option, "Put the options in CLARION_DATABASE_URL right"),
        (no_such_value, "Put the options in CLARION_DATABASE_URL right"),
        (no_server, "does not answer"),
        (no_certificate, "SSL"),
    ],
)
def test_a_database_that_lets_nobody_in_is_told_with_the_cure(
    bare: Clarion,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    url: Callable[[PostgresServer], str],
    words: str,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("CLARION_DATABASE_URL", url(postgres))
    code, out, errors = bare(*command)
    assert code in (1, 4)
    assert words in " ".join((out + errors).split())
    assert "Traceback" not in out + errors


@pytest.mark.parametrize("command", [("serve",), ("run", "sender"), ("check",)], ids=" ".join)
def test_a_nats_without_jetstream_is_told_with_the_cure(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    with NatsServer(has_jetstream=False) as server:
        monkeypatch.setenv("CLARION_BROKER_URL", server.url("t"))
        code, out, errors = clarion(*command)
    assert code in (1, 4)
    assert "nats-server -js" in " ".join((out + errors).split())
    assert "Traceback" not in out + errors


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_file_that_is_no_database_is_told_with_the_cure(
    clarion: Clarion, command: tuple[str, ...]
) -> None:
    (clarion.home / "data" / "clarion.db").write_bytes(b"not a database" * 1_000)
    for name in ("clarion.db-wal", "clarion.db-shm"):
        Path(clarion.home / "data" / name).unlink(missing_ok=True)
    code, out, errors = clarion(*command)
    assert code in (1, 4)
    assert "backup" in " ".join((out + errors).split())
    assert "Traceback" not in out + errors
