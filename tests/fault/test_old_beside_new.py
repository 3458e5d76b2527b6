"""A rolling upgrade, by processes of an earlier version beside those of this one."""

from pathlib import Path

import pytest

from support.rolling import ARCHIVES, scene, upgrade
from support.sampling import is_soak


@pytest.mark.parametrize(
    "release", ARCHIVES if is_soak() else ARCHIVES[-1:], ids=lambda archive: archive.name
)
async def test_old_and_new_processes_lose_nothing_and_send_nothing_twice(
    release: Path, tmp_path: Path
) -> None:
    async with scene(tmp_path, release) as both:
        traffic = await upgrade(both, say=lambda _: None)
        assert set(await both.new.stop()) == {0}
    assert traffic.campaigns >= 5 and traffic.events > 100
