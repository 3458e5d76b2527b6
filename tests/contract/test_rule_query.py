"""Every kind of condition means in SQL what it means in Python, on both databases: dates around
changes of clocks and leap days, numbers as text, what is missing and what is null, any script."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from clarion.audiences import condition_query, matching
from clarion.audiences.matching import KnownCustomer, KnownDevice, KnownEvent, KnownPush
from clarion.audiences.rule import Rule
from clarion.audiences.rule_parser import parse
from clarion.storage.bulk import append, insert_new
from clarion.storage.database import Database
from clarion.storage.schema import (
    audience_members,
    audiences,
    customer_deliveries,
    customers,
    deliveries,
    devices,
    events,
    launches,
    ownership_periods,
)
from support.book import SOURCE, WORKSPACE
from support.database import make_tables
from support.postgres import PostgresServer
from support.sampling import examples

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
SPLIT = datetime(2027, 3, 20, tzinfo=UTC)
"""When the key that two customers share went from one to the other."""
ZONES = ("UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
NOWS = (
    datetime(2027, 3, 28, 0, 30, tzinfo=UTC),  # Vienna's clocks go forward half an hour later
    datetime(2027, 3, 28, 1, 0, 0, 1, tzinfo=UTC),
    datetime(2027, 10, 31, 0, 30, tzinfo=UTC),  # Vienna has this half hour twice
    datetime(2027, 2, 28, 23, 30, tzinfo=UTC),
    datetime(2028, 2, 28, 12, 0, tzinfo=UTC),
    datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
)
DATES = (
    "2027-03-28", "2027-03-27", "2027-03-28T02:30:00", "2027-03-28T02:30", "2027-03-28 03:00:00",
    "2027-03-28T00:30:00Z", "2027-03-28T02:30:00+02:00", "2027-03-28T01:30:00.999+01:00",
    "2027-10-31T02:30:00", "2027-10-31T02:30:00+01:00", "2027-10-31", "2028-02-29", "2027-02-29",
    "2027-02-28", "2024-02-29", "1990-02-28", "1990-05-17T00:00:00Z", "1900-02-29", "2000-02-29",
    "2027-01-01T00:00:00-00:30", "2026-12-31T23:59:59", "1969-12-31T23:59:59Z", "9999-12-31",
    "0001-01-01", "2027-12-31T23:59:59.5",
)  # fmt: skip
NO_DATES = (
    "2027-13-01", "2027-00-10", "2027-02-30", "2027-04-31", "0000-01-01", "2027-3-28", "20270328",
    "2027-03-28T24:00:00", "2027-03-28T23:60", "2027-03-28Z", "2027-03-28+02:00", "2027-03-28T",
    "2027-03-28T10", "2027-03-28T10:00:00.", "2027-03-28T10:00:00.1234567890", " 2027-03-28",
    "2027-03-28\n", "２０２７-03-28", "2027-03-28T10:00:00z", "2027-03-28T10:00:00+2:00",
    "+27-03-28",
)  # fmt: skip
NUMBERS = ("30", "30.0", "-1.50", "0", "-0", "007", ".5", "5.", "1e3", "30 ", "+30", "٣٠", "--1",
           "1.2.3", "123456789012345", "1234567890123456", "12345678901234567", "")  # fmt: skip
TEXTS = (
    "gold",
    "Gold",
    "old",
    "ß",
    "SS",
    "é",
    "e\u0301",
    "🙂",
    "名前",
    "it's",
    '"',
    "\\",
    "%",
    "_",
    "true",
)
AMOUNTS = (
    0, 1, -1, 30, 29.999, 30.0, 0.1, -1.5, 2**53, 2**53 + 1, 10**22, -(10**30), 1.7e308, 5e-324,
    1806195600, 1806195600000, 1806195600.5, 1806195599999, -86400, -86400.5, 99_999_999_999,
    100_000_000_000, -100_000_000_000.5, 10**14, 10**14 + 1, 1e15,
)  # fmt: skip
VERSIONS = (
    "4.10.2", "4.9", "4.9.0.0", "v4.10", "4", "4.10.2-beta", "4.10.2 (77)", "4..1", ".4", "beta",
    "", "V 5", "2024.11.05.1234567", "99999999999999999999.1.1.1", "4.10.2.1.9", "04.010",
)  # fmt: skip
LOCALES = ("de-AT", "de_AT", "DE-at", "de", "en_US.UTF-8", "zh-Hans-CN", "zh_Hans", "gsw-CH", "d",
           "Kk-KZ", "\u212ak-KZ", "en-US@calendar=x", "de-AT-1996", "🙂-AT", "")  # fmt: skip
NAMES = ("plan", "a.b", "it's", 'say "hi"', "back\\slash", "", "名前", "0", "$", "x\ty")
EVENTS = ("Order Completed", "order completed", "Ünicode", "App Opened")
CAMPAIGNS = (UUID(int=71), UUID(int=72))
LISTS = (UUID(int=81), UUID(int=82))

scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from(DATES + NO_DATES + NUMBERS + TEXTS + VERSIONS)
    | st.sampled_from(AMOUNTS)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5)
)
names = st.sampled_from(NAMES)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(names, scalars, max_size=2)
objects = st.dictionaries(names, values, max_size=4)
moments = st.sampled_from(NOWS) | st.datetimes(
    datetime(2027, 1, 1), datetime(2028, 3, 1), timezones=st.just(UTC)
)
paths = st.lists(names, min_size=1, max_size=2)
wanted_scalars = scalars.filter(
    lambda value: value is not None and (isinstance(value, str | bool) or abs(value) <= 2**53)
)
amounts = st.sampled_from([one for one in AMOUNTS if abs(one) <= 2**53]) | st.integers(-50, 50)
rule_dates = st.sampled_from(
    [
        text
        for text in DATES
        if "1800" <= text[:4] < "3000" and text not in ("2027-02-29", "1900-02-29")
    ]
)
rule_versions = st.sampled_from(["4.9", "4.10", "4.10.2", "5", "2024.11.05", "4.10.2-beta"])


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    test = draw(
        st.sampled_from(
            ["equals", "one_of", "contains", "begins_with", "less_than", "at_most", "more_than",
             "at_least", "between", "before", "after", "in_last_days", "in_next_days",
             "anniversary", "missing", "present"]
        )
    )  # fmt: skip
    wire: dict[str, Any] = {"test": test}
    if test in ("equals", "contains"):
        wire["value"] = draw(wanted_scalars)
    elif test == "one_of":
        wire["value"] = draw(st.lists(wanted_scalars, min_size=1, max_size=4))
    elif test == "begins_with":
        wire["value"] = draw(st.sampled_from(TEXTS + DATES).map(lambda text: text[:2]))
    elif test == "between":
        wire["value"] = sorted(draw(st.tuples(amounts, amounts)))
    elif test in ("less_than", "at_most", "more_than", "at_least"):
        wire["value"] = draw(amounts)
    elif test in ("before", "after"):
        wire |= {"value": draw(rule_dates), "zone": draw(st.sampled_from(ZONES))}
    elif test in ("in_last_days", "in_next_days"):
        wire |= {"value": draw(st.sampled_from([1, 2, 30])), "zone": draw(st.sampled_from(ZONES))}
    elif test == "anniversary":
        wire["zone"] = draw(st.sampled_from(ZONES))
    return wire


@st.composite
def device_conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(
        st.sampled_from(
            ["platform", "app_version", "os", "language", "country", "time_zone", "permission",
             "last_seen", "registered", "os_version", "model"]
        )
    )  # fmt: skip
    match field:
        case "platform":
            return {"field": field, "test": "one_of", "value": draw(st.lists(
                st.sampled_from(["iOS", "Android", "Web"]), min_size=1, max_size=2))}  # fmt: skip
        case "app_version" | "os_version":
            test = draw(
                st.sampled_from(
                    [
                        "equals",
                        "less_than",
                        "at_most",
                        "more_than",
                        "at_least",
                        "missing",
                        "between",
                    ]
                )
            )
            if test == "missing":
                return {"field": field, "test": test}
            value: Any = draw(rule_versions)
            return {
                "field": field,
                "test": test,
                "value": [value, draw(rule_versions)] if test == "between" else value,
            }
        case "language":
            return {
                "field": field,
                "test": "equals",
                "value": draw(st.sampled_from(["de", "KK", "en", "gsw"])),
            }
        case "country":
            countries = st.sampled_from(["AT", "at", "US", "CN", "CH", "KZ"])
            listed = draw(st.lists(countries, min_size=1, max_size=2))
            return {"field": field, "test": "one_of", "value": listed}
        case "permission":
            return {"field": field, "test": "equals", "value": "denied"}
        case "last_seen" | "registered":
            if draw(st.booleans()):
                return {
                    "field": field,
                    "test": "in_last_days",
                    "value": draw(st.sampled_from([1, 30])),
                }
            test = draw(st.sampled_from(["before", "after"]))
            return {"field": field, "test": test, "value": draw(rule_dates)}
        case _:
            test = draw(st.sampled_from(["equals", "contains", "begins_with"]))
            return {
                "field": field,
                "test": test,
                "value": draw(st.sampled_from(["iOS", "i", "Europe/", "🙂"])),
            }


@st.composite
def event_conditions(draw: st.DrawFn) -> dict[str, Any]:
    test = draw(st.sampled_from(["did", "did_not", "at_least", "at_most", "first", "last"]))
    wire: dict[str, Any] = {"event": draw(st.sampled_from(EVENTS)), "test": test}
    if test in ("at_least", "at_most"):
        wire["count"] = draw(st.integers(1, 3))
    window = draw(st.sampled_from(["none", "last", "since", "until", "both"]))
    if window == "none" and test in ("first", "last"):
        window = "last"
    if window == "last":
        wire["last_days"] = draw(st.sampled_from([1, 30, 365]))
    if window in ("since", "both"):
        wire |= {"since": draw(rule_dates), "zone": draw(st.sampled_from(ZONES))}
    if window in ("until", "both"):
        wire |= {"until": draw(rule_dates)}
    where = draw(st.lists(st.tuples(paths, comparisons()), max_size=2))
    if where:
        wire["where"] = [{"property": path} | comparison for path, comparison in where]
    return wire


leaves = st.one_of(
    st.just({"everyone": True}),
    st.builds(lambda path, test: {"trait": path} | test, paths, comparisons()),
    st.builds(lambda path, test: {"trait": path} | test, paths, comparisons()),
    st.builds(lambda path, test: {"trait": path} | test, paths, comparisons()),
    st.builds(
        lambda where: {"device": where}, st.lists(device_conditions(), min_size=1, max_size=2)
    ),
    st.builds(
        lambda where: {"device": where}, st.lists(device_conditions(), min_size=1, max_size=2)
    ),
    event_conditions(),
    event_conditions(),
    st.builds(
        lambda campaign, fate: {"campaign": str(campaign), "test": fate},
        st.sampled_from(CAMPAIGNS),
        st.sampled_from(["sent", "received", "opened", "not_opened"]),
    ),
    st.builds(
        lambda percent, salt: {"percent": percent, "salt": salt},
        st.sampled_from([0.01, 10, 33.33, 50, 100]),
        st.sampled_from(["", "spring", "名前"]),
    ),
    st.sampled_from([{"list": str(one)} for one in LISTS]),
    st.just({"user_ids": ["u0", "u1"]}),
)


def grouped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda kind, parts: {kind: parts},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    )


rules = leaves | grouped(leaves) | grouped(leaves | grouped(leaves))


@st.composite
def crowds(draw: st.DrawFn) -> list[KnownCustomer]:
    crowd = []
    for place in range(draw(st.integers(1, 4))):
        facts = st.fixed_dictionaries(
            {},
            optional={
                "app_version": st.sampled_from(VERSIONS),
                "os_version": st.sampled_from(VERSIONS),
                "os_name": st.sampled_from(["iOS", "Android", "🙂"]),
                "locale": st.sampled_from(LOCALES),
                "timezone": st.sampled_from(["Europe/Vienna", "UTC"]),
                "push_permission": st.sampled_from(["granted", "denied"]),
                "model": st.sampled_from(["i", "x🙂"]),
            },
        )
        owned = st.builds(
            KnownDevice,
            platform=st.sampled_from(["iOS", "Android", "Web"]),
            facts=facts,
            last_seen_at=moments,
            registered_at=moments,
        )
        did = st.builds(KnownEvent, name=st.sampled_from(EVENTS), at=moments, properties=objects)
        pushes = st.builds(
            KnownPush,
            campaign_id=st.sampled_from(CAMPAIGNS),
            was_received=st.booleans(),
            was_opened=st.booleans(),
        )
        crowd.append(
            KnownCustomer(
                id=uuid5(WORKSPACE, f"user:u{place}"),
                user_id=f"u{place}",
                traits=draw(objects),
                devices=draw(st.lists(owned, max_size=2)),
                events=draw(st.lists(did, max_size=4)),
                pushes=draw(st.lists(pushes, max_size=2)),
                lists=frozenset(draw(st.lists(st.sampled_from(LISTS), max_size=2))),
            )
        )
    return crowd


class Store:
    """The tables of one database, asked from outside its loop."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._database = Database(url)
        self._runner.run(make_tables(self._database))

    def reached(
        self, rule: Rule, crowd: list[KnownCustomer], now: datetime, *, at_once: bool = False
    ) -> set[UUID]:
        return self._runner.run(self._reached(rule, crowd, now, at_once=at_once))

    def close(self) -> None:
        self._runner.run(self._database.close())
        self._runner.close()

    async def _reached(
        self, rule: Rule, crowd: list[KnownCustomer], now: datetime, *, at_once: bool
    ) -> set[UUID]:
        rows = _rows(crowd)
        async with self._database.write() as connection:
            for table in rows:
                await connection.execute(delete(table))
                if table is events:
                    await append(connection, table, rows[table])
                else:
                    await insert_new(connection, table, rows[table])
        async with self._database.read() as connection:
            found = await connection.execute(
                select(customers.c.id).where(condition_query.matches(rule, now, at_once=at_once))
            )
            return set(found.scalars())


def _rows(crowd: list[KnownCustomer]) -> dict[Any, list[dict[str, Any]]]:
    """Of two customers who shared a device, its events are told apart by when they happened."""
    rows: dict[Any, list[dict[str, Any]]] = {
        table: []
        for table in (
            customers, devices, events, ownership_periods, launches, deliveries,
            customer_deliveries, audiences, audience_members,
        )
    }  # fmt: skip
    base = {"workspace_id": WORKSPACE}
    for place, customer in enumerate(crowd):
        rows[customers].append(
            base
            | {"id": customer.id, "user_id": customer.user_id, "key": None, "email": None,
               "traits": customer.traits, "stamps": {}, "push_stamp": None, "push_opted_out": False,
               "suppressed_at": None, "first_seen_at": SPLIT, "last_seen_at": SPLIT}
        )  # fmt: skip
        rows[ownership_periods].append(_period(f"u{place}", FIRST, LAST, customer.id, is_user=True))
        if place < 2:
            start, end = (FIRST, SPLIT) if place == 0 else (SPLIT, LAST)
            shared = _period("shared", start, end, customer.id, is_user=False)
            if len(crowd) > 1 or place == 0:
                rows[ownership_periods].append(shared)
        for number, device in enumerate(customer.devices):
            rows[devices].append(_device(customer, place, number, device))
        for number, event in enumerate(customer.events):
            is_shared = place < 2 and number % 2 == 0 and (event.at < SPLIT) == (place == 0)
            rows[events].append(_event(event, place, number, is_shared=is_shared))
        for number, push in enumerate(customer.pushes):
            launch_id = uuid5(push.campaign_id, f"{place}:{number}")
            is_indexed = number == 0
            rows[launches].append(_launch(launch_id, push.campaign_id, is_indexed=is_indexed))
            rows[deliveries].append(
                {"launch_id": launch_id, "device_id": UUID(int=1), "chunk_id": None,
                 "customer_id": customer.id, "platform": "iOS", "state": "accepted", "reason": None,
                 "attempts": 1, "unanswered": 0, "first_tried_at": None, "settled_at": SPLIT,
                 "received_at": SPLIT if push.was_received else None,
                 "opened_at": SPLIT if push.was_opened else None}
            )  # fmt: skip
            if is_indexed:
                rows[customer_deliveries].append(
                    {"customer_id": customer.id, "launch_id": launch_id, "device_id": UUID(int=1)}
                )
        rows[audience_members] += [
            base | {"audience_id": one, "user_id": customer.user_id} for one in customer.lists
        ]
    return rows


def _period(
    key: str, start: datetime, end: datetime, customer_id: UUID, *, is_user: bool
) -> dict[str, Any]:
    return {
        "workspace_id": WORKSPACE,
        "key": key,
        "start_at": start,
        "end_at": end,
        "customer_id": customer_id,
        "is_user": is_user,
        "is_real": is_user,
    }


def _device(
    customer: KnownCustomer, place: int, number: int, device: KnownDevice
) -> dict[str, Any]:
    absent = (
        "token", "token_hash", "installation_hash", "reason", "removed_token_hash", "removed_at",
        "removed_reason", "spares", "app_version", "order_at",
    )  # fmt: skip
    return dict.fromkeys(absent) | {
        "id": uuid5(customer.id, f"{number}"),
        "workspace_id": WORKSPACE,
        "device_id": f"D-{place}-{number}",
        "customer_id": customer.id,
        "source_id": SOURCE,
        "platform": device.platform,
        "token_kind": "fcm",
        "token_rank": 1,
        "token_message_id": "m",
        "registered_at": device.registered_at,
        "state": "active",
        "facts": device.facts or None,
        "last_seen_at": device.last_seen_at,
    }


def _event(event: KnownEvent, place: int, number: int, *, is_shared: bool) -> dict[str, Any]:
    body = msgspec.json.encode({"event": event.name, "properties": event.properties}).decode()
    return {
        "workspace_id": WORKSPACE,
        "message_id": f"m-{place}-{number}",
        "source_id": SOURCE,
        "type": "track",
        "name": event.name,
        "user_id": None if is_shared else f"u{place}",
        "anonymous_id": "shared" if is_shared else None,
        "device_id": None,
        "at": event.at,
        "received_at": event.at,
        "body": body,
        "clock_at": None,
        "order_at": None,
        "key": "shared" if is_shared else f"u{place}",
    }


def _launch(launch_id: UUID, campaign_id: UUID, *, is_indexed: bool) -> dict[str, Any]:
    return {
        "id": launch_id, "workspace_id": WORKSPACE, "campaign_id": campaign_id, "state": "done",
        "cursor": None, "planned": 1, "started_at": SPLIT, "planned_at": SPLIT, "done_at": SPLIT,
        "occurrence": str(launch_id), "paused_from": None, "reason": None, "due_at": SPLIT,
        "updated_at": SPLIT, "indexed_at": SPLIT if is_indexed else None, "rewritten": 0,
        "deliveries_removed_at": None, "emptied_at": None, "audience": None,
    }  # fmt: skip


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = Store(url)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("rules") / "clarion.db"
    with opened(f"sqlite:///{path}") as store:
        yield store


@pytest.fixture(scope="module")
def postgres_store(postgres: PostgresServer) -> Iterator[Store]:
    runner = asyncio.Runner()
    creating = postgres.new_database()
    with opened(runner.run(creating.__aenter__())) as store:
        yield store
    runner.run(creating.__aexit__(None, None, None))
    runner.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    made: Store = request.getfixturevalue(f"{request.param}_store")
    return made


def read(wire: Any) -> Rule:
    """A rule that may name static lists, too, as it is evaluated."""
    from clarion.audiences.rule_parser import parse_resolved

    return parse_resolved(wire)


def expected(rule: Rule, crowd: list[KnownCustomer], now: datetime) -> set[UUID]:
    return {customer.id for customer in crowd if matching.matches(rule, customer, now)}


@settings(
    max_examples=examples(80),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rules, crowds(), st.sampled_from(NOWS))
def test_the_query_reaches_whom_the_rule_matches(
    store: Store, wire: Any, crowd: list[KnownCustomer], now: datetime
) -> None:
    one = read(wire)
    assert store.reached(one, crowd, now) == expected(one, crowd, now)
    if condition_query.reads_events(one):
        assert store.reached(one, crowd, now, at_once=True) == expected(one, crowd, now)


def _one_each(values: Any) -> list[KnownCustomer]:
    return [
        KnownCustomer(id=uuid5(WORKSPACE, str(place)), user_id=f"u{place}", traits={"x": value})
        for place, value in enumerate(values)
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("now", NOWS)
def test_every_date_is_read_alike(store: Store, now: datetime, zone: str) -> None:
    crowd = _one_each([*DATES, *NO_DATES, *AMOUNTS, *TEXTS, True, None, ["2027-03-28"]])
    wires: list[dict[str, Any]] = [
        {"test": "before", "value": "2027-03-28", "zone": zone},
        {"test": "after", "value": "2027-03-28T02:30:00", "zone": zone},
        {"test": "before", "value": "2027-10-31T02:30:00+01:00", "zone": zone},
        {"test": "after", "value": "1969-12-31T23:59:58Z", "zone": zone},
        {"test": "in_last_days", "value": 1, "zone": zone},
        {"test": "in_next_days", "value": 1, "zone": zone},
        {"test": "anniversary", "zone": zone},
    ]
    for wire in wires:
        one = parse({"trait": "x"} | wire)
        assert not isinstance(one, list), one
        assert store.reached(one, crowd, now) == expected(one, crowd, now), wire


def test_every_number_is_read_alike(store: Store) -> None:
    crowd = _one_each([*NUMBERS, *AMOUNTS, *TEXTS, True, None, [30], {"x": 30}])
    for value in (0, 30, 29.999, -1.5, 7, 123456789012345, 2**53, 0.1):
        for test in ("less_than", "at_most", "more_than", "at_least", "equals"):
            one = parse({"trait": "x", "test": test, "value": value})
            assert not isinstance(one, list), one
            assert store.reached(one, crowd, NOWS[0]) == expected(one, crowd, NOWS[0]), (
                test,
                value,
            )


def test_every_version_is_read_alike(store: Store) -> None:
    crowd = [
        KnownCustomer(
            id=uuid5(WORKSPACE, str(place)),
            user_id=f"u{place}",
            devices=[
                KnownDevice(
                    platform="iOS",
                    facts={"app_version": version},
                    last_seen_at=SPLIT,
                    registered_at=SPLIT,
                )
            ],
        )
        for place, version in enumerate(VERSIONS)
    ]
    for test in ("less_than", "at_most", "more_than", "at_least", "equals"):
        for value in ("4.9", "4.10", "4.10.2", "5"):
            asked = {"field": "app_version", "test": test, "value": value}
            one = parse({"device": [asked]})
            assert not isinstance(one, list), one
            assert store.reached(one, crowd, NOWS[0]) == expected(one, crowd, NOWS[0]), asked


def test_shares_are_as_large_as_they_say_and_drawn_independently() -> None:
    ids = [uuid5(WORKSPACE, f"user:{number}") for number in range(20_000)]

    def share(percent: float, salt: str) -> set[UUID]:
        one = parse({"percent": percent, "salt": salt})
        assert not isinstance(one, list)
        return {one_id for one_id in ids if matching.matches(one, KnownCustomer(id=one_id), SPLIT)}

    tenth, half, other = share(10, ""), share(50, ""), share(50, "spring")
    assert 1_800 < len(tenth) < 2_200 and 9_700 < len(half) < 10_300
    assert tenth <= half
    assert 4_700 < len(half & other) < 5_300


def test_what_happened_long_ago_is_outside_of_a_window(store: Store) -> None:
    now = NOWS[0]
    crowd = [
        KnownCustomer(
            id=uuid5(WORKSPACE, f"user:u{place}"),
            user_id=f"u{place}",
            events=[KnownEvent(name="App Opened", at=now - timedelta(days=days))],
        )
        for place, days in enumerate((1, 29, 31))
    ]
    one = parse({"event": "App Opened", "last_days": 30})
    assert not isinstance(one, list)
    assert store.reached(one, crowd, now) == {crowd[0].id, crowd[1].id}
