"""The dashboard and the alerts ask for metrics that there are, by labels that they have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clarion.app import Role
from clarion.telemetry import Metrics
from support.pages import ROOT

DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "clarion-alerts.yaml"
SCRAPED = DEPLOY / "prometheus" / "prometheus.yaml"
ALERT_TESTS = ROOT / "tests" / "golden" / "alerts.test.yaml"
DASHBOARD = DEPLOY / "grafana" / "clarion.json"
OF_PROMETHEUS = {"up", "process_resident_memory_bytes"}
FUNCTIONS = frozenset(
    {"sum", "max", "min", "by", "rate", "increase", "time", "histogram_quantile", "or", "and"}
)
WHOSE = frozenset({"job", "instance", "le"})
"""Labels that Prometheus adds."""


def metrics() -> dict[str, set[str]]:
    """Every name that a sample may have, with its labels."""
    found: dict[str, set[str]] = {}
    every = Metrics()
    parts = (every, every.under_way, every.sending, every.agents)
    for metric in (metric for part in parts for metric in vars(part).values()):
        if hasattr(metric, "describe"):
            for family in metric.describe():
                labels = set(metric._labelnames)
                ends = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
                for end in ends.get(family.type, [""]):
                    found[f"{family.name}{end}"] = labels
    return found


def rules() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]


def expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS, ids=[name for name, _ in EXPRESSIONS])
def test_an_expression_asks_for_what_there_is(name: str, expression: str) -> None:
    known = metrics()
    bare = re.sub(r'"[^"]*"', '""', expression)
    assert bare.count("(") == bare.count(")") and bare.count("{") == bare.count("}")
    grouped = {
        label for names in re.findall(r"by \(([^)]*)\)", bare) for label in re.split(r",\s*", names)
    }
    matched = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*""', bare))
    plain = re.sub(r"by \([^)]*\)|\{[^}]*\}|\[[^\]]*\]", " ", bare)
    named = set(re.findall(r"[a-z_]{2,}", plain)) - FUNCTIONS
    assert named, expression
    assert named - set(known) - OF_PROMETHEUS == set()
    labels = set().union(*(known.get(one, set()) for one in named)) | WHOSE
    assert (grouped | matched) - labels == set(), expression


def test_a_name_that_is_no_metric_is_found() -> None:
    with pytest.raises(AssertionError):
        test_an_expression_asks_for_what_there_is("", "max(clarion_job)")
    with pytest.raises(AssertionError):
        test_an_expression_asks_for_what_there_is("", 'max(clarion_jobs{king="events"})')


def promtool(*words: str) -> None:
    """Prometheus's own checker, where this machine has it: no package that tests can bring does."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("there is no promtool on this machine (on Debian it is of `prometheus`)")
    told = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_prometheus_takes_the_alerts_and_its_file() -> None:
    promtool("check", "config", str(SCRAPED))


def test_prometheus_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    panels = [
        {"record": f"panel:{place}", "expr": expression.replace("$__rate_interval", "1m")}
        for place, (_, expression) in enumerate(EXPRESSIONS)
    ]
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": panels}]}))
    promtool("check", "rules", str(file))


def test_alerts_fire_when_they_should_and_not_before() -> None:
    promtool("test", "rules", str(ALERT_TESTS))


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires: dict[str, set[bool]] = {rule["alert"]: set() for rule in rules()}
    for case in yaml.safe_load(ALERT_TESTS.read_text())["tests"]:
        for check in case["alert_rule_test"]:
            fires[check["alertname"]].add(bool(check.get("exp_alerts")))
    assert {alert: seen for alert, seen in fires.items() if len(seen) < 2} == {}


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    asked = " ".join(expression for _, expression in EXPRESSIONS)
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics()}
    unseen = {name for name in families if name not in asked}
    assert unseen == {"clarion_agent_leads", "clarion_agent_steps_total"}


def test_every_alert_says_what_to_do_and_how_urgent_it_is() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert len(rule["annotations"]["summary"]) > 30, rule["alert"]


def test_every_role_is_scraped() -> None:
    [job] = yaml.safe_load(SCRAPED.read_text())["scrape_configs"]
    targets = job["static_configs"][0]["targets"]
    assert {target.partition(":")[0] for target in targets} == {role.value for role in Role}


def test_panels_lie_beside_each_other() -> None:
    places = [panel["gridPos"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    assert len({(place["x"], place["y"]) for place in places}) == len(places)
    assert all(place["x"] + place["w"] <= 24 for place in places)
