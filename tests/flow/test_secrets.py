"""A secret that is rotated, or lost: what was sealed with it is sealed anew, or named; and
meanwhile apps are answered."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from clarion.deliveries.apps.store import open_app
from clarion.sources.key_store import add_identity_secret
from clarion.sources.signature import sign
from clarion.storage.database import Database
from clarion.storage.reseal import look, reseal
from clarion.storage.schema import identity_secrets
from clarion.storage.vault import Vault, VaultLocked, load_or_make_vault
from support.api import Service, register
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.command import Clarion
from support.faults import Crash, Doom, DoomedDatabase
from support.processes import until
from support.world import APP

OLD, NEW, LOST = "the secret of before", "the secret of now", "the secret that is lost"
SECRET = b"clarion_identity_secret"


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        service.secrets.clear()
        for number in range(3):
            await add_secret(service, service.world.vault, number)
        yield service


async def add_secret(service: Service, vault: Vault, number: int = 9) -> None:
    async with service.database.write() as connection:
        await add_identity_secret(
            connection,
            workspace_id=WORKSPACE,
            source_id=SOURCE,
            secret_id=service.clock.new_id(),
            sealed_secret=vault.seal(SECRET + b"%d" % number),
            now=service.clock.now(),
        )


def both(service: Service) -> tuple[Vault, Vault]:
    """A vault that opens what the service's has sealed, and one that knows the new key only."""
    key = Fernet.generate_key()
    former = service.world.vault._fernet
    sealed_by = base64.urlsafe_b64encode(former._signing_key + former._encryption_key)
    return Vault(key, [sealed_by]), Vault(key)


async def test_after_a_rotation_the_new_key_opens_everything(service: Service) -> None:
    vault, new = both(service)
    assert (await look(service.database, vault)).sealed_anew == 4
    done = await reseal(service.database, vault)
    assert (done.sealed_anew, done.current, done.locked) == (4, 0, ())
    async with service.database.read() as connection:
        assert await open_app(connection, new, APP, now=service.clock.now())
        for sealed in (
            await connection.execute(select(identity_secrets.c.sealed_secret))
        ).scalars():
            assert new.open(bytes(sealed)).startswith(SECRET)
    assert (await reseal(service.database, new)).current == 4


async def test_a_rotation_that_is_cut_off_anywhere_is_finished(service: Service) -> None:
    vault, new = both(service)
    for point in range(1, 40):
        doom = Doom(point)
        try:
            await reseal(DoomedDatabase(service.database, doom), vault)  # type: ignore[arg-type]
        except Crash:
            found = await look(service.database, vault)
            assert found.locked == (), "the two keys open everything, whatever was done"
        else:
            break
    assert (await look(service.database, new)).current == 4


async def test_what_no_key_opens_is_named_and_left(service: Service) -> None:
    vault, _ = both(service)
    await add_secret(service, Vault(Fernet.generate_key()))
    done = await reseal(service.database, vault)
    assert (done.sealed_anew, [one.what for one in done.locked]) == (4, ["identity secret"])


async def test_a_lost_secret_stops_only_what_has_to_be_proven(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await add_secret(service, Vault(Fernet.generate_key()))
        key = str((await service.get("/sources"))["data"][0]["write_key"])

        async def post(event: dict[str, object]) -> int:
            event = {"type": "track", "event": "Seen", **event}
            return (await service.try_to_send(key, event)).status

        assert await post({"anonymousId": "a"}) == 200
        assert await post({"userId": "ada", "messageId": "unsigned"}) == 200
        signed = {"userSignature": sign(SECRET + b"9", "ada")}
        assert await post({"userId": "ada", "context": signed}) == 503, "kept by the SDK, not lost"
        phone = register("r1", "phone", "token-1", user="ada")
        assert await post(phone) == 503
        assert await post({"type": "identify", "userId": "ada"}) == 503
        await add_secret(service, service.world.vault, 1)
        signed = {"userSignature": sign(SECRET + b"1", "ada")}

        async def again() -> int:
            return await post({"userId": "ada", "context": signed})

        assert await until(again, lambda status: status == 200, seconds=20) == 200


def test_a_former_secret_and_the_key_file_open_what_they_sealed(tmp_path: Path) -> None:
    by_file = load_or_make_vault(tmp_path, None).seal(b"file")
    by_old = load_or_make_vault(tmp_path, OLD).seal(b"old")
    vault = load_or_make_vault(tmp_path, NEW, (OLD,))
    assert (vault.open(by_file), vault.open(by_old)) == (b"file", b"old")
    assert not vault.is_current(by_old)
    with pytest.raises(VaultLocked):
        load_or_make_vault(tmp_path, NEW, (LOST,)).open(by_old)


def test_the_command_seals_anew_and_names_what_it_can_not_open(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clarion("firebase-apps", "add", str(clarion.key_file()))[0] == 0
    monkeypatch.setenv("CLARION_SECRET_KEY", NEW)
    assert clarion.json("secrets", "check") == {"to_seal_anew": 1, "current": 0, "locked": []}
    assert clarion.json("secrets", "rotate")["sealed_anew"] == 1
    (clarion.home / "data" / "secret.key").unlink()
    assert clarion.json("secrets", "check")["current"] == 1
    monkeypatch.setenv("CLARION_SECRET_KEY", LOST)
    code, _, errors = clarion("secrets", "check")
    assert code == 1
    assert "CLARION_FORMER_SECRET_KEYS" in errors
    assert "firebase-apps add" in errors
    monkeypatch.setenv("CLARION_FORMER_SECRET_KEYS", NEW)
    assert clarion("secrets", "rotate")[0] == 0
