"""The page on scale shows what the model says, and the model says what follows from its figures."""

from dataclasses import replace

import pytest
from bench.capacity import (
    QUOTA_A_MINUTE,
    SIZES,
    Capacity,
    Load,
    capacity,
    cost_of,
    limits,
    read_results,
    table,
)

from support.pages import ROOT

COST = cost_of(read_results())


def needs(devices: int, retention_days: int = 90) -> Capacity:
    return capacity(Load(devices=devices, retention_days=retention_days), COST)


def test_the_page_shows_the_models_table() -> None:
    assert table(read_results()) in (ROOT / "docs" / "guides" / "scale.md").read_text()


@pytest.mark.parametrize("figure", ["app_cores", "database_bytes", "broker_bytes", "cores"])
def test_more_devices_never_need_less(figure: str) -> None:
    found = [getattr(needs(size), figure) for size in SIZES]
    assert found == sorted(found)


def test_a_campaign_is_never_faster_than_the_quota() -> None:
    for size in SIZES:
        assert needs(size).pushes_a_second * 60 <= QUOTA_A_MINUTE * 1.000001


def test_ten_times_the_devices_are_ten_times_the_database() -> None:
    assert needs(10_000_000).database_bytes == pytest.approx(10 * needs(1_000_000).database_bytes)


def test_a_shorter_retention_takes_away_the_limit_that_it_is_said_to_cure() -> None:
    first = limits(needs(10_000_000))[0]
    assert first.name == "the size of the database"
    assert first.reach > 1
    assert limits(needs(10_000_000, retention_days=14))[0].reach < 1


def test_what_bench_measured_is_what_the_model_reckons_with() -> None:
    results = read_results()
    assert COST.push_micros == results["campaign"]["postgresql, with Liquid"]["CPU µs a push"]
    twice = replace(COST, event_micros=2 * COST.event_micros, push_micros=2 * COST.push_micros)
    load = Load(devices=SIZES[0])
    assert capacity(load, twice).app_cores == pytest.approx(2 * capacity(load, COST).app_cores)
