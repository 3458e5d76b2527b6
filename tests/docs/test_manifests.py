"""Compose file and Kubernetes manifests are what the published schemas of both say."""

import copy
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import fastjsonschema
import pytest
import yaml

from support.pages import ROOT

SCHEMAS = ROOT / "tests" / "golden" / "schemas"
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text())
OBJECTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "clarion.yaml").read_text())
)
ANY_TEXT = {"duration": ".", "expose": ".", "ports": ".", "subnet_ip_address": "."}
"""Formats of compose's own, which a schema can not describe."""

Validate = Callable[[Any], Any]


@cache
def compose_schema() -> Validate:
    schema = json.loads((SCHEMAS / "compose-spec.json").read_text())
    made: Validate = fastjsonschema.compile(schema, formats=ANY_TEXT)
    return made


@cache
def kubernetes_schema(version: str, kind: str) -> Validate:
    kept = json.loads((SCHEMAS / "kubernetes-1.37.json").read_text())
    definition = kept["kinds"][f"{version} {kind}"]
    schema = {"$ref": f"#/definitions/{definition}", "definitions": kept["definitions"]}
    made: Validate = fastjsonschema.compile(schema)
    return made


def name_of(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def test_the_compose_file_keeps_its_schema() -> None:
    compose_schema()(COMPOSE)


@pytest.mark.parametrize("one", OBJECTS, ids=name_of)
def test_a_manifest_keeps_its_schema(one: dict[str, Any]) -> None:
    kubernetes_schema(one["apiVersion"], one["kind"])(one)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "web", "read_onyl"), True),
        (("services", "web", "restart"), 7),
        (("services", "web", "depends_on", "nats", "condition"), "service_awake"),
        (("secrets", "secret_key", "path"), "x"),
    ],
)
def test_a_fault_in_the_compose_file_is_found(path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        compose_schema()(_with(COMPOSE, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "template", "spec", "enableServiceLink"), False),
        (("spec", "replicas"), "three"),
        (
            ("spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet", "port"),
            [8080],
        ),
        (("spec", "strategy"), "RollingUpdate"),
        (("metadata", "label"), {}),
    ],
)
def test_a_fault_in_a_manifest_is_found(path: tuple[str | int, ...], value: Any) -> None:
    one = next(one for one in OBJECTS if name_of(one) == "Deployment web")
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        kubernetes_schema("apps/v1", "Deployment")(_with(one, path, value))


def _with(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document, with something else at that place."""
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed
