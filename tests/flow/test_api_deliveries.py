"""A campaign's deliveries, page by page, whatever became of them and however often it launched."""

from uuid import UUID

from clarion.campaigns.launches.launch import Launch, LaunchState
from clarion.campaigns.launches.store import create_launch
from clarion.customers.devices.device import Platform
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.store import plan
from clarion.storage.database import Database
from support.api import Service
from support.book import WORKSPACE
from support.clock import FakeClock

STATES = (DeliveryState.ACCEPTED, DeliveryState.SKIPPED, DeliveryState.PENDING)
CAMPAIGN = {"name": "Weekly", "content": {"title": "Hi"}, "audience": {"everyone": True}}


async def test_deliveries_of_several_launches_come_in_pages(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        made = await service.post("/campaigns", CAMPAIGN)
        expected = [
            (str(launch_id), state.value)
            for launch_id in [await _launch(service, UUID(made["id"])) for _ in range(3)]
            for state in STATES
        ]
        other = await service.post("/campaigns", CAMPAIGN)
        await _launch(service, UUID(other["id"]))
        path = f"/deliveries?campaign={made['id']}"
        for limit in (1, 2, 3, 4, 9, 100):
            found = await service.every(path, limit)
            assert [(one["launch_id"], one["state"]) for one in found] == expected
        for state in STATES:
            found = await service.every(f"{path}&state={state.value}", limit=2)
            assert [one["state"] for one in found] == [state.value] * 3
        assert await service.every(f"{path}&state=expired", limit=2) == []


async def _launch(service: Service, campaign_id: UUID) -> UUID:
    """A launch with a delivery in each of STATES."""
    now = service.clock.now()
    launch_id = service.clock.new_id()
    async with service.database.write() as connection:
        await create_launch(
            connection,
            Launch(
                id=launch_id,
                workspace_id=WORKSPACE,
                campaign_id=campaign_id,
                occurrence=str(launch_id),
                state=LaunchState.SENDING,
                planned=len(STATES),
                due_at=now,
                started_at=now,
                updated_at=now,
            ),
        )
        deliveries = [
            {
                "launch_id": launch_id,
                "device_id": UUID(int=number),
                "customer_id": UUID(int=100 + number),
                "platform": Platform.WEB.value,
                "state": state.value,
                "reason": None,
                "attempts": 0,
                "unanswered": 0,
                "settled_at": None,
            }
            for number, state in enumerate(STATES)
        ]
        await plan(connection, launch_id, [], deliveries)
    return launch_id
