"""How a command reaches the management API, which does what commands ask for.

Over HTTP, where CLARION_URL and CLARION_API_KEY say where Clarion runs and who asks (`remote.py`);
without them in this process, on this machine's data directory, as the operator (`local.py`). Here
it is chosen; a command notices no difference. Each way is loaded where it is taken: a command over
HTTP needs neither the database's modules nor the web framework.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from clarion.cli.api.client import Api, read_list, workspace_of_another_key
from clarion.cli.api.remote import RemoteApi, read_remote
from clarion.cli.context import WORKSPACE, chosen_workspace
from clarion.value_file import value_of


@asynccontextmanager
async def open_api() -> AsyncIterator[Api]:
    """The API that the environment names. Ends the command where the settings are wrong, and where
    the workspace that is asked for is not that of the API key."""
    remote = read_remote(os.environ)
    if remote is None:
        from clarion.cli.api.local import open_local_api

        async with open_local_api() as local:
            yield local
        return
    api = RemoteApi(remote)
    wanted = chosen_workspace.get() or value_of(os.environ, WORKSPACE)
    if wanted:
        workspace = await api.call("GET", "/workspace")
        if wanted not in (workspace["id"], workspace["name"]):
            raise workspace_of_another_key(workspace, wanted)
    yield api


async def ask(method: str, path: str, **how: Any) -> Any:
    """One call of the API that the environment names: see `Api.call`."""
    async with open_api() as api:
        return await api.call(method, path, **how)


async def ask_list(path: str, **how: Any) -> list[dict[str, Any]]:
    """One list of the API that the environment names: see `read_list`."""
    async with open_api() as api:
        return await read_list(api, path, **how)
