"""`make cluster`: every role as a process of its own on three NATS servers, and kills."""

from pathlib import Path

import pytest

from support.cluster import cluster, play
from support.sampling import is_soak


async def test_a_campaign_survives_the_kill_of_every_sender_and_a_nats_server(
    tmp_path: Path,
) -> None:
    if not is_soak():
        pytest.skip("eight processes and three NATS servers: part of `make soak`")
    told: list[str] = []
    async with cluster(tmp_path, each=2, say=told.append) as running:
        report = await play(running, devices=2_000, say=told.append)
    assert report["accepted"] == 2_000
    assert "nothing is lost" in told[-1]
