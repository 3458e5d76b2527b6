"""How much an installation needs for so many devices, on paper: `python -m bench.capacity`. Pure,
but for reading `bench/results/latest.json` and printing.

Speeds are those of the last `make bench`, on PostgreSQL. Bytes of a row are those that `clarion
demo --scale 0.4` left in SQLite (2026-11-30: 3,200 devices, 2,000 customers, 23,418 events, one
launch), pages and indexes included. PostgreSQL keeps more of the same (`bench.row_bytes`), which is
not reckoned with. What a workspace does in a day is an assumption that `Load` names; put in your
own.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.results import read

DEVICE_BYTES = 1_930
"""With its tokens, owners and history."""
CUSTOMER_BYTES = 2_950
"""With traits, identifiers and claims."""
EVENT_BYTES = 740
"""With its messageId."""
DELIVERY_BYTES = 175
"""With its place in the index by customer."""
BROKER_EVENT_BYTES = 700
"""Of a job, for each event in it."""

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600
BUSY = 0.5
"""How much of a core is planned for at the peak: the rest is for what nobody foresees."""
QUOTA_A_MINUTE = 600_000
"""FCM's for one project; see docs/benchmarks.md for how close to it Clarion goes."""
REPLICAS = 3
OUTAGE_SECONDS = HOUR_SECONDS
"""For so long the broker keeps what comes in while nobody takes it up."""
MACHINE_CORES = 4
MACHINE_GIB = 16
DATABASE_CACHE = 0.1
"""Of customers, devices and today's events, that should be in the database's memory."""
SHORT_DAYS = 14
DATABASE_GIB_MIN = 4
GIB = 2**30
SIZES = (1_000_000, 10_000_000, 100_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a workspace does. Counts are of a day unless they say otherwise."""

    devices: int
    devices_a_customer: float = 1.6
    events_a_device: float = 3.0
    """Over all devices, of which most are silent on most days."""
    peak: float = 5.0
    """The busiest minute, against the mean of the day."""
    pushes_a_device: float = 1.0
    campaign_minutes: float = 30.0
    """Within so many, a campaign to everybody should be out."""
    retention_days: int = 90
    """Of events and deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Microseconds of CPU, ours and the database's: of an event that comes in and is known, and of
    a push."""

    event_micros: float
    event_database_micros: float
    push_micros: float
    push_database_micros: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a load needs."""

    load: Load
    events_a_second: float
    """At the peak."""
    pushes_a_second: float
    campaign_minutes: float
    """How long a campaign to everybody takes: as asked for, or as FCM's quota has it."""
    app_cores: float
    database_cores: float
    state_bytes: float
    """Customers and devices."""
    history_bytes: float
    """Events and deliveries within their retention."""
    broker_bytes: float
    """Of all replicas."""
    database_gib: float
    """Of memory."""

    @property
    def database_bytes(self) -> float:
        return self.state_bytes + self.history_bytes

    @property
    def app_machines(self) -> int:
        """Two at least: one may be lost."""
        return max(2, math.ceil(self.app_cores / MACHINE_CORES))

    @property
    def cores(self) -> int:
        """Of all machines: a standby has what its primary has, and the broker is three of one."""
        database = 2 * max(2, math.ceil(self.database_cores))
        return self.app_machines * MACHINE_CORES + database + REPLICAS

    @property
    def memory_gib(self) -> int:
        """Of all machines."""
        database = 2 * math.ceil(self.database_gib)
        return self.app_machines * MACHINE_GIB + database + REPLICAS * 2

    @property
    def disk_gb(self) -> int:
        """Of all machines: a standby has what its primary has."""
        return math.ceil((2 * self.database_bytes + self.broker_bytes) / 1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What gives out first, and what helps. `reach`: how far the load is towards it; above 1 it is
    passed."""

    name: str
    reach: float
    cure: str


def cost_of(results: Mapping[str, Any]) -> Cost:
    """What `make bench` measured on PostgreSQL. Raises KeyError where a figure is missing."""
    single = results["collector"]["postgresql"]["single"]
    known = results["ingestion"]["postgresql"]
    push = results["campaign"]["postgresql, with Liquid"]
    return Cost(
        event_micros=single["CPU µs an event"] + known["CPU µs an event"],
        event_database_micros=single["database CPU µs an event"]
        + known["database CPU µs an event"],
        push_micros=push["CPU µs a push"],
        push_database_micros=push["database CPU µs a push"],
    )


def capacity(load: Load, cost: Cost) -> Capacity:
    """What a load needs at its peak, while a campaign to everybody is sent."""
    events = load.devices * load.events_a_device * load.peak / DAY_SECONDS
    minutes = max(load.campaign_minutes, load.devices / QUOTA_A_MINUTE)
    pushes = load.devices / (minutes * 60)
    micros = events * cost.event_micros + pushes * cost.push_micros
    database_micros = events * cost.event_database_micros + pushes * cost.push_database_micros
    kept = load.devices * load.retention_days
    state = load.devices * DEVICE_BYTES + load.devices / load.devices_a_customer * CUSTOMER_BYTES
    today = load.devices * load.events_a_device * EVENT_BYTES
    return Capacity(
        load=load,
        events_a_second=events,
        pushes_a_second=pushes,
        campaign_minutes=minutes,
        app_cores=micros / 1e6 / BUSY,
        database_cores=database_micros / 1e6 / BUSY,
        state_bytes=state,
        history_bytes=kept
        * (load.events_a_device * EVENT_BYTES + load.pushes_a_device * DELIVERY_BYTES),
        broker_bytes=events * OUTAGE_SECONDS * BROKER_EVENT_BYTES * REPLICAS,
        database_gib=max(DATABASE_GIB_MIN, (state + today) * DATABASE_CACHE / GIB),
    )


DATABASE_BYTES_MAX = 2e12
"""More in one PostgreSQL is restored too late: at 100 MB/s, two terabytes take 5.6 hours."""
DATABASE_CORES_MAX = 16
"""Of one primary."""
CAMPAIGN_MINUTES_MAX = 60
"""In which a campaign to everybody should be out at the latest."""


def limits(needs: Capacity) -> Sequence[Limit]:
    """Every limit, the nearest first."""
    found = [
        Limit(
            name="the size of the database",
            reach=needs.database_bytes / DATABASE_BYTES_MAX,
            cure="a shorter retention; old events in a columnar copy",
        ),
        Limit(
            name="FCM's quota for one project",
            reach=needs.load.devices / QUOTA_A_MINUTE / CAMPAIGN_MINUTES_MAX,
            cure="apps in several Firebase projects, or a higher quota from Google",
        ),
        Limit(
            name="the writes of one PostgreSQL",
            reach=needs.database_cores / DATABASE_CORES_MAX,
            cure="reports and audiences on a read replica; workspaces in several databases",
        ),
        Limit(
            name="cores of our processes",
            reach=needs.app_cores / (MACHINE_CORES * 16),
            cure="more processes of the role that is busy",
        ),
    ]
    return sorted(found, key=lambda limit: -limit.reach)


def table(results: Mapping[str, Any], sizes: Sequence[int] = SIZES) -> str:
    """What docs/guides/scale.md shows."""
    cost = cost_of(results)
    needs = [capacity(Load(devices=size), cost) for size in sizes]
    shorter = [capacity(Load(devices=size, retention_days=SHORT_DAYS), cost) for size in sizes]
    rows: list[tuple[str, list[str]]] = [
        ("events a second at the peak", [f"{need.events_a_second:,.0f}" for need in needs]),
        ("pushes a second", [f"{need.pushes_a_second:,.0f}" for need in needs]),
        ("a campaign to everybody, minutes", [f"{need.campaign_minutes:,.0f}" for need in needs]),
        ("busy cores of our processes", [f"{need.app_cores * BUSY:,.2f}" for need in needs]),
        ("busy cores of PostgreSQL", [f"{need.database_cores * BUSY:,.2f}" for need in needs]),
        ("machines of ours, 4 cores each", [f"{need.app_machines}" for need in needs]),
        ("PostgreSQL, primary and standby: memory of each", [_gib(need) for need in needs]),
        ("customers and devices, GB", [f"{need.state_bytes / 1e9:,.0f}" for need in needs]),
        ("events and deliveries of 90 days, GB", [_history(need) for need in needs]),
        (f"of {SHORT_DAYS} days, GB", [_history(one) for one in shorter]),
        ("NATS, three nodes: GB in an hour's outage", [_broker(need) for need in needs]),
        ("cost", [_cost(need) for need in needs]),
        ("what gives out first", [_first(need) for need in needs]),
    ]
    head = " | ".join(f"{size / 1e6:g} M devices" for size in sizes)
    lines = [f"| | {head} |", "|---|" + "---|" * len(sizes)]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    return "\n".join(lines) + "\n"


def _gib(needs: Capacity) -> str:
    return f"{math.ceil(needs.database_gib):,} GiB"


def _history(needs: Capacity) -> str:
    return f"{needs.history_bytes / 1e9:,.0f}"


def _broker(needs: Capacity) -> str:
    return f"{max(1, math.ceil(needs.broker_bytes / 1e9)):,}"


def _cost(needs: Capacity) -> str:
    return f"{needs.cores:,} *c* + {needs.memory_gib:,} *m* + {needs.disk_gb:,} *d*"


def _first(needs: Capacity) -> str:
    first = limits(needs)[0]
    return f"{first.name}, at {first.reach:,.0%}: {first.cure}"


def read_results() -> Mapping[str, Any]:
    """The figures of the last `make bench`."""
    return {name: part.columns for name, part in read().items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("devices", nargs="*", type=int, default=list(SIZES))
    print(table(read_results(), parser.parse_args().devices), end="")


if __name__ == "__main__":
    main()
