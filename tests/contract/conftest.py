"""The simulator, a process of its own, for the modules that ask for it.

Such a module runs in one event loop (`pytest.mark.asyncio(loop_scope="module")`), and in one
worker (`pytest.mark.xdist_group`).
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fcm_simulator.process import SimulatorProcess


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_simulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[SimulatorProcess]:
    async with SimulatorProcess(tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="module")
async def simulator(running_simulator: SimulatorProcess) -> SimulatorProcess:
    """The module's simulator, with nothing counted and no trouble ordered."""
    await running_simulator.reset()
    return running_simulator
