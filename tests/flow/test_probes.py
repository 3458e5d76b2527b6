"""Every process tells how it is, whatever its roles: /metrics, /livez and /readyz."""

from pathlib import Path

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from clarion.agent import AgentName
from clarion.app import Role
from support.processes import Process, installation, until

AGENTS = {
    Role.COLLECTOR: set(),
    Role.WEB: set(),
    Role.INGESTOR: {AgentName.INGESTOR},
    Role.SCHEDULER: {AgentName.SCHEDULER},
    Role.PLANNER: {AgentName.PLANNER, AgentName.INDEXER},
    Role.SENDER: {AgentName.SENDER, AgentName.PUSH_SENDER, AgentName.OVERDUE},
    Role.ATTRIBUTOR: {AgentName.ATTRIBUTOR},
    Role.SWEEPER: {AgentName.SWEEPER, AgentName.ERASER, AgentName.REMOVER},
}
LEADERS = {AgentName.SCHEDULER, AgentName.SWEEPER, AgentName.ERASER, AgentName.REMOVER}
Samples = dict[tuple[str, str], float]


def settings(directory: Path, metrics_listen: str = "127.0.0.1:0") -> dict[str, str]:
    return {
        "DATA_DIR": str(directory / "data"),
        "LISTEN": "127.0.0.1:0",
        "METRICS_LISTEN": metrics_listen,
        "LOG": "info,json",
    }


async def probes_of(process: Process) -> str:
    """Where it says that it tells how it is."""

    async def said() -> str | None:
        for line in process.log.read_text().splitlines():
            entry = msgspec.json.decode(line)
            if entry["event"] == "metrics_listening":
                return str(entry["url"]).removesuffix("/metrics")
        assert process.is_running, process.log.read_text()
        return None

    return str(await until(said, lambda url: url is not None))


async def status(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code


async def samples(url: str) -> Samples:
    """(name, agent) → value, of what an agent's metrics say."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{url}/metrics")).text
    return {
        (sample.name, sample.labels["agent"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "agent" in sample.labels
    }


def test_every_role_and_every_agent_is_tried() -> None:
    assert set(AGENTS) == set(Role)
    assert set().union(*AGENTS.values()) == set(AgentName)


async def test_a_process_of_any_role_tells_how_it_is(tmp_path: Path) -> None:
    async with installation(tmp_path, settings(tmp_path)) as here:
        await here.command("migrate")
        processes = {role: await here.run(role.value) for role in Role}
        for role, process in processes.items():
            await tells_how_it_is(await probes_of(process), AGENTS[role])


async def tells_how_it_is(url: str, agents: set[AgentName]) -> None:
    await until(lambda: status(f"{url}/readyz"), lambda code: code == 200)
    assert await status(f"{url}/livez") == 200
    assert await status(f"{url}/api/v1/campaigns") == 404
    assert await status(f"{url}/v1/track") == 404
    # Sweeper, eraser and remover work once, and then not for a minute or an hour.
    found = await until(lambda: samples(url), lambda found: have_worked(found, agents))
    assert {agent for _, agent in found} == agents
    for agent in agents:
        assert found["clarion_agent_restarts_total", agent] == 0
        assert found["clarion_agent_last_success_timestamp_seconds", agent] > 0
        assert found.get(("clarion_agent_leads", agent)) == (1 if agent in LEADERS else None)


def have_worked(found: Samples, agents: set[AgentName]) -> bool:
    return all(found.get(("clarion_agent_steps_total", agent), 0) > 0 for agent in agents)


async def test_of_two_processes_one_leads_and_the_other_follows_when_it_ends(
    tmp_path: Path,
) -> None:
    async with installation(tmp_path, settings(tmp_path)) as here:
        await here.command("migrate")
        leader = await here.run("scheduler")
        await until_leads(await probes_of(leader))
        stands_by = await here.run("scheduler")
        url = await probes_of(stands_by)
        found = await samples(url)
        assert found["clarion_agent_leads", "scheduler"] == 0
        assert found["clarion_agent_steps_total", "scheduler"] == 0
        await leader.kill()
        await until_leads(url)


async def until_leads(url: str) -> None:
    await until(lambda: samples(url), lambda found: found["clarion_agent_leads", "scheduler"] == 1)


async def test_an_address_that_is_taken_is_told_by_its_setting(tmp_path: Path) -> None:
    async with installation(tmp_path, settings(tmp_path)) as here:
        await here.command("migrate")
        url = await probes_of(await here.run("attributor"))
        taken = url.removeprefix("http://")
        async with installation(tmp_path, settings(tmp_path, taken)) as other:
            second = await other.run("planner")
            assert await second.ended() != 0
            told = second.log.read_text()
            assert f"Can not listen on {taken}" in told
            assert "CLARION_METRICS_LISTEN" in told
