"""One server and one browser for each module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from support.console import Console, open_console
from support.patience import PATIENCE

expect.set_options(timeout=PATIENCE * 1_000)  # how long a page takes says how busy the machine is


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Console]:
    """A new installation, in which nobody has an account."""
    async with open_console(tmp_path_factory.mktemp("console")) as opened:
        yield opened
