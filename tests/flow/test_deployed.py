"""What `deploy/` declares for compose, Kubernetes and systemd, run as processes: its commands with
its settings, in its order, asked by its own checks. `support.deployed` says what is replaced."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from clarion.app import Role
from support.deploy_files import (
    address_of,
    compose_services,
    enter_postgres,
    manifest_services,
    unit_service,
)
from support.deployed import NOT_RUN, Deployment
from support.nats import NatsServer
from support.pages import ROOT, blocks
from support.patience import PATIENCE, until
from support.postgres import PostgresServer
from support.sampling import some

ROLES = {role.value for role in Role}
FOR_AN_EVENT = ["collector", "ingestor", "web"]


def tried() -> set[str]:
    """The roles that an event needs and another one; in a soak all, as always with compose."""
    others = some(sorted(ROLES.difference(FOR_AN_EVENT)), 1)
    return {*FOR_AN_EVENT, *others}


KUBERNETES_DATABASE = (
    "postgresql://clarion:REPLACE_ME@postgres.databases/clarion?sslmode=verify-full"
)
KUBERNETES_BROKER = "nats://nats.nats:4222?replicas=3"
KUBERNETES_SECRET = "REPLACE_ME with the output of openssl rand -base64 32"


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    logs = tmp_path / "logs"
    logs.mkdir()
    made = Deployment(logs)
    yield made
    await made.kill()


async def passes_an_event(deployment: Deployment, *, collector: str, web: str) -> None:
    """A first key by the page's own command, a source, and an event from the one to the other."""
    key = msgspec.json.decode(
        await deployment.execute(web, "keys", "create", "first", "--scope", "admin", "--json")
    )["key"]
    made = await deployment.execute(web, "sources", "create", "shop", "--json")
    write_key = msgspec.json.decode(made)["write_key"]
    taken_at, asked_at = (address_of(deployment.services[name]) for name in (collector, web))
    said = {"type": "identify", "userId": "ada", "messageId": "1", "traits": {"plan": "pro"}}
    async with httpx.AsyncClient(timeout=PATIENCE) as calls:
        sent = await calls.post(
            f"{taken_at}/v1/batch", json={"batch": [said]}, auth=(write_key, "")
        )
        assert sent.status_code == 200, sent.text
        url, headers = f"{asked_at}/api/v1/customers/ada", {"Authorization": f"Bearer {key}"}

        async def known() -> int:
            return (await calls.get(url, headers=headers)).status_code

        await until(known, lambda status: status == 200)


async def test_the_services_of_the_compose_file_start_in_order_and_pass_an_event(
    deployment: Deployment, postgres: PostgresServer, tmp_path: Path
) -> None:
    services = compose_services(postgres, tmp_path, {"PROXY_HOST": "shop.example"})
    assert {service.name for service in services} == ROLES | {"postgres", "nats", "migrate"}
    [database] = [service for service in services if service.name == "postgres"]
    password = (tmp_path / "secrets" / "postgres_password").read_text()
    assert database.environment["POSTGRES_PASSWORD_FILE"] == f"{tmp_path}/secrets/postgres_password"
    await enter_postgres(postgres, database, password)
    await deployment.up(services)
    assert (tmp_path / "migrate" / "first-api-key").exists(), "where the file's comment says"
    await passes_an_event(deployment, collector="collector", web="web")
    ended = await deployment.down()
    assert set(ended) >= ROLES
    assert {ended[role] for role in ROLES} == {0}, ended


async def test_the_pods_of_the_manifests_are_ready_by_their_probes_and_pass_an_event(
    deployment: Deployment, postgres: PostgresServer, nats: NatsServer, tmp_path: Path
) -> None:
    async with postgres.new_database() as url:
        servers = {
            KUBERNETES_DATABASE: url,
            KUBERNETES_BROKER: nats.url("pods"),
            KUBERNETES_SECRET: "a secret of thirty-two characters",
        }
        services = manifest_services(servers, tmp_path)
        assert {service.name for service in services} == ROLES | {"migrate"}
        wanted = tried() | {"migrate"}
        await deployment.up([service for service in services if service.name in wanted])
        await passes_an_event(deployment, collector="collector", web="web")
        assert set((await deployment.down()).values()) == {0}


async def test_the_units_of_each_role_pass_an_event(
    deployment: Deployment, postgres: PostgresServer, nats: NatsServer, tmp_path: Path
) -> None:
    """With the settings that the page writes to /etc/clarion."""
    etc = tmp_path / "etc"
    etc.mkdir(mode=0o700)
    async with postgres.new_database() as url:
        (etc / "secret-key").write_text("a secret of thirty-two characters\n")
        (etc / "database-url").write_text(f"{url}\n")
        (etc / "clarion.env").write_text(f"CLARION_BROKER_URL={nats.url('units')}\n")
        for role in ("collector", "web"):
            (etc / f"{role}.env").write_text("CLARION_LISTEN=127.0.0.1:0\n")
        units = [unit_service(f"clarion@{role}", etc, tmp_path, {}) for role in sorted(tried())]
        collector, web = ("clarion@collector", "clarion@web")
        by_name = {unit.name: unit for unit in units}
        deployment.services |= by_name
        await deployment.execute(web, "migrate")
        await deployment.up(units)
        for name in (collector, web):
            by_name[name].environment = {
                **by_name[name].environment,
                "CLARION_LISTEN": await listens(deployment, name),
            }
        await passes_an_event(deployment, collector=collector, web=web)
        assert set((await deployment.down()).values()) == {0}


async def test_the_unit_of_one_process_serves_and_writes_to_its_folder_alone(
    deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "clarion.env").write_text("CLARION_LISTEN=127.0.0.1:0\n")
    unit = unit_service("clarion", tmp_path / "etc", tmp_path, {})
    await deployment.up([unit])
    unit.environment = {
        **unit.environment,
        "CLARION_LISTEN": await listens(deployment, "clarion"),
    }
    await passes_an_event(deployment, collector="clarion", web="clarion")
    state = tmp_path / "state" / "clarion"
    assert {file.name for file in state.iterdir()} >= {"clarion.db", "first-api-key"}
    assert {file.stat().st_mode & 0o077 for file in [state, *state.iterdir()]} == {0}
    assert await deployment.down() == {"clarion": 0}


async def listens(deployment: Deployment, name: str) -> str:
    """The address that its log tells."""

    async def told() -> str:
        return deployment.log(name)

    said = await until(told, lambda log: "listens on http://" in log)
    return said.partition("listens on http://")[2].split()[0].strip("/")


def test_every_command_of_the_page_that_is_not_run_has_a_reason() -> None:
    """Of the blocks without a mark, what is not Clarion's, the shell's or a file's."""
    page = ROOT / "docs" / "guides" / "install.md"
    shell = {"cp", "install", "openssl", "echo", "chmod", "for", "done", "python3", "make", "sh"}
    ours = {"/opt/clarion/bin/pip", "sudo", "clarion"}
    first = {
        next(word for word in line.split() if "=" not in word)
        for block in blocks(page)
        if block.language == "sh" and not block.mark
        for line in block.text.splitlines()
        if line.strip() and not line.startswith(("#",))
    }
    assert first - shell - ours == set(NOT_RUN) - {"kubectl"}
    assert all(len(reason) > 20 for reason in NOT_RUN.values())
