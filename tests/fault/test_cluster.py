"""`make cluster`, smaller: every role as a process of its own on three NATS servers, and kills."""

from pathlib import Path

from support.cluster import cluster, play
from support.sampling import is_soak


async def test_a_campaign_survives_the_kill_of_every_sender_and_a_nats_server(
    tmp_path: Path,
) -> None:
    devices, each = (2_000, 2) if is_soak() else (300, 1)
    told: list[str] = []
    async with cluster(tmp_path, each=each, say=told.append) as running:
        report = await play(running, devices=devices, say=told.append)
    assert report["accepted"] == devices
    assert "nothing is lost" in told[-1]
