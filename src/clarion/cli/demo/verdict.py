"""Whether Clarion tells the truth: its rows and its account beside what the story and FCM know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.cli.demo.world import Installation, World
from clarion.customers.devices.device import FINGERPRINT_CHARACTERS, token_hash
from clarion.customers.devices.store import Device, list_devices
from clarion.customers.profile.store import Customer, list_customers
from clarion.events.store import list_events
from clarion.ingest_log.queries import count_refused
from clarion.storage.database import Database

PAGE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Two numbers that must be one."""

    what: str
    expected: int
    found: int

    @property
    def holds(self) -> bool:
        return self.expected == self.found


async def judge_rows(database: Database, workspace_id: UUID, world: World) -> list[Check]:
    """Customers, devices, their owners and tokens, beside the story's own books."""
    async with database.read() as connection:
        events = await _count_events(connection, workspace_id)
        refused = await count_refused(connection, workspace_id)
        customers = await _every_customer(connection, workspace_id)
        devices = await _every_device(connection, workspace_id)
    users = {customer.id: customer.user_id for customer in customers}
    device_of_id = {device.device_id: device for device in devices}
    wanted = {person.user_id for person in world.people}
    return [
        Check(what="events, repeats counted once", expected=len(world.calls), found=events),
        Check(what="calls refused", expected=0, found=refused),
        Check(what="customers", expected=world.customers, found=len(customers)),
        Check(
            what="customers by the ids they signed in with",
            expected=len(world.people),
            found=len(wanted & {user for user in users.values() if user is not None}),
        ),
        Check(what="devices", expected=len(world.devices), found=len(devices)),
        Check(
            what="devices with the right owner",
            expected=len(world.devices),
            found=sum(
                _has_owner(device, device_of_id.get(device.device_id), users)
                for device in world.devices
            ),
        ),
        Check(
            what="devices with the right token",
            expected=len(world.devices),
            found=sum(
                _has_token(device, device_of_id.get(device.device_id)) for device in world.devices
            ),
        ),
    ]


def judge_campaign(
    world: World, report: Mapping[str, Any], stats: Mapping[str, Any], sent: Mapping[str, int]
) -> list[Check]:
    """The account beside the simulator's counts and the story. `sent`: the apps' own receipts."""
    silent = sum(not device.is_reached for device in world.devices)
    removed = world.count_tokens("dead-", "malformed-", "apns-dead-")
    settled = sum(
        report[state]
        for state in ("accepted", "unregistered", "rejected", "skipped", "expired", "cancelled")
    )
    checks = [
        Check(what="planned: every device", expected=len(world.devices), found=report["planned"]),
        Check(
            what="planned = settled + in flight",
            expected=report["planned"],
            found=settled + report["in_flight"],
        ),
        Check(what="in flight at the end", expected=0, found=report["in_flight"]),
        Check(what="skipped: opted out", expected=silent, found=report["skipped"]),
        Check(what="unregistered: dead tokens", expected=removed, found=report["unregistered"]),
        Check(
            what="accepted: all the others",
            expected=len(world.devices) - silent - removed,
            found=report["accepted"],
        ),
        Check(
            what="accepted, as FCM counted deliveries",
            expected=stats["distinct_pushes"],
            found=report["accepted"],
        ),
        Check(what="accepted twice, as FCM counted", expected=0, found=stats["repeated_pushes"]),
        Check(what="received", expected=sent["received"], found=report["received"]),
        Check(what="opened", expected=sent["opened"], found=report["opened"]),
    ]
    if "attempts" in report:
        requests, attempts = stats["requests"], report["attempts"]
        checks.append(
            Check(what="requests, as FCM counted them", expected=requests, found=attempts)
        )
    return checks


async def removals(database: Database, workspace_id: UUID) -> dict[str, int]:
    """Removed registrations by reason."""
    async with database.read() as connection:
        devices = await _every_device(connection, workspace_id)
    counts: dict[str, int] = {}
    for device in devices:
        if device.state.value == "removed":
            reason = device.reason or "unknown"
            counts[reason] = counts.get(reason, 0) + 1
    return counts


def _has_owner(
    installation: Installation, device: Device | None, users: Mapping[UUID, str | None]
) -> bool:
    """Whether the row names the owner: that person, or a customer who is not signed in."""
    if device is None or device.customer_id not in users:
        return False
    return users[device.customer_id] == (installation.owner.user_id if installation.owner else None)


def _has_token(installation: Installation, device: Device | None) -> bool:
    fingerprint = token_hash(installation.token)[:FINGERPRINT_CHARACTERS]
    return device is not None and device.token_fingerprint == fingerprint


async def _count_events(connection: AsyncConnection, workspace_id: UUID) -> int:
    count = 0
    before: int | None = None
    while True:
        page = await list_events(connection, workspace_id, before_seq=before, limit=PAGE)
        if not page:
            return count
        count += len(page)
        before = page[-1].seq


async def _every_customer(connection: AsyncConnection, workspace_id: UUID) -> list[Customer]:
    customers: list[Customer] = []
    while True:
        after = customers[-1].id if customers else None
        page = await list_customers(connection, workspace_id, after=after, limit=PAGE)
        if not page:
            return customers
        customers += page


async def _every_device(connection: AsyncConnection, workspace_id: UUID) -> list[Device]:
    devices: list[Device] = []
    while True:
        after = devices[-1].id if devices else None
        page = await list_devices(connection, workspace_id, after=after, limit=PAGE)
        if not page:
            return devices
        devices += page
