"""What `deploy/` tells an operator to run is of this version: every role, every setting, every
path, in files that the programs they are for can read."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from clarion.app import Role
from clarion.cli import commands
from clarion.config import SETTINGS, Settings, read_settings
from clarion.storage.postgres.address import read_postgres_url
from clarion.web.server import COLLECTOR_PREFIXES, CONSOLE_PREFIX, TRACK_PREFIXES
from support.pages import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
KUBERNETES = DEPLOY / "kubernetes" / "clarion.yaml"
NGINX = DEPLOY / "nginx" / "clarion.conf"
CADDY = DEPLOY / "caddy" / "Caddyfile"
DOCKERFILE = DEPLOY / "Dockerfile"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
ROLES = {role.value for role in Role}
PUBLIC = (*COLLECTOR_PREFIXES, *TRACK_PREFIXES)
INSIDE = ("/metrics", "/livez", "/readyz", "/", "/consoles", "/v2/track")

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all(KUBERNETES.read_text()))


def objects(kind: str) -> Iterator[dict[str, Any]]:
    return (one for one in OBJECTS if one["kind"] == kind)


def pods() -> Iterator[dict[str, Any]]:
    return (one["spec"]["template"]["spec"] for one in OBJECTS if "template" in one.get("spec", {}))


def roles_of(words: list[str]) -> set[str]:
    return set(words[1:]) if words[:1] == ["run"] else set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_setting_that_is_named_is_one(path: Path) -> None:
    known = {name for one in SETTINGS for name in (one.name, f"{one.name}_FILE")}
    assert set(re.findall(r"CLARION_[A-Z_]+", path.read_text())) - known == set()


def test_every_command_that_is_told_is_one() -> None:
    told = re.compile(r"(?:-- |bin/|^#   )clarion ([a-z-]+[^\n]*)", re.MULTILINE)
    found = [words for path in FILES for words in told.findall(path.read_text())]
    assert len(found) > 2
    for words in found:
        tokens = shlex.split(words.replace("%i", "collector"))
        _, _, unused, _ = commands.parse_known_args(tokens)
        assert not unused, words


def test_compose_runs_every_role_and_names_only_what_it_declares() -> None:
    started = set().union(*(roles_of(one.get("command", [])) for one in SERVICES.values()))
    assert started == ROLES
    declared = yaml.safe_load(COMPOSE.read_text())
    for name, service in SERVICES.items():
        assert set(service.get("secrets", ())) <= set(declared["secrets"]), name
        assert set(service.get("networks", ())) <= set(declared["networks"]), name
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        volumes = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert {volume for volume in volumes if "/" not in volume} <= set(declared["volumes"]), name
        if service["image"] == "clarion":
            assert service["read_only"] and service["cap_drop"] == ["ALL"], name
    for secret in declared["secrets"].values():
        assert secret["file"].startswith("./secrets/")


def test_what_compose_sets_can_be_read(tmp_path: Path) -> None:
    shutil.copy(COMPOSE.with_name("make-secrets.sh"), tmp_path)
    for _ in range(2):
        subprocess.run(["sh", str(tmp_path / "make-secrets.sh")], check=True)
    secrets = tmp_path / "secrets"
    assert (secrets.stat().st_mode & 0o777) == 0o700
    password = (secrets / "postgres_password").read_text()
    assert read_postgres_url((secrets / "database_url").read_text()).dsn.count(password) == 1
    environment = {
        name: str(value).replace("/run/secrets", str(secrets))
        for name, value in SERVICES["web"]["environment"].items()
    }
    settings = read_settings(environment)
    assert isinstance(settings, Settings), settings
    assert settings.secret_key == (secrets / "secret_key").read_text()


def test_kubernetes_runs_every_role_with_probes_and_room_to_be_moved() -> None:
    deployments = {one["metadata"]["name"]: one["spec"] for one in objects("Deployment")}
    assert set(deployments) == ROLES
    budgets = [one["spec"]["selector"] for one in objects("PodDisruptionBudget")]
    for role, spec in deployments.items():
        [container] = spec["template"]["spec"]["containers"]
        assert roles_of(container["args"]) == {role}
        assert (
            spec["selector"]["matchLabels"].items()
            <= spec["template"]["metadata"]["labels"].items()
        )
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] in ports
        assert (spec["selector"] in budgets) is (spec["replicas"] > 1), role


def test_every_pod_is_shut_in() -> None:
    found = list(pods())
    assert len(found) == len(ROLES) + 1
    for pod in found:
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        [container] = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_what_kubernetes_sets_can_be_read(tmp_path: Path) -> None:
    [config], [secret] = objects("ConfigMap"), objects("Secret")
    for name, value in secret["stringData"].items():
        (tmp_path / name).write_text(value)
    environment = {
        name: str(value).replace("/etc/clarion", str(tmp_path))
        for name, value in config["data"].items()
    }
    settings = read_settings(environment)
    assert isinstance(settings, Settings), settings
    assert settings.metrics_listen is not None


def _nginx_paths() -> list[str]:
    return re.findall(r"location ~ (\S+) \{", NGINX.read_text())


def _caddy_paths() -> list[str]:
    found = re.findall(r"path_regexp (\S+)", CADDY.read_text())
    [people] = re.findall(r"@people path (.+)", CADDY.read_text())
    return [*found, *("^" + re.escape(one).replace(r"\*", ".*") + "$" for one in people.split())]


def _ingress_paths() -> list[str]:
    [ingress] = objects("Ingress")
    [rule] = ingress["spec"]["rules"]
    return [f"^/?{re.escape(one['path'])}" for one in rule["http"]["paths"]]


@pytest.mark.parametrize("paths", [_nginx_paths, _caddy_paths, _ingress_paths])
def test_what_has_to_be_public_is_and_what_asks_for_no_key_is_not(paths: Any) -> None:
    patterns = [re.compile(one) for one in paths()]
    for prefix in (*PUBLIC, "/api/v1/campaigns", CONSOLE_PREFIX):
        assert any(pattern.match(prefix) for pattern in patterns), prefix
    for path in INSIDE:
        assert not any(pattern.match(path) for pattern in patterns), path


def test_proxies_overwrite_what_callers_say_of_themselves() -> None:
    text = NGINX.read_text()
    assert "X-Forwarded-For $remote_addr;" in text
    assert "X-Forwarded-Proto $scheme;" in text
    assert "proxy_add_x_forwarded_for" not in text
    assert "trusted_proxies " not in re.sub(r"^\s*#.*$", "", CADDY.read_text(), flags=re.MULTILINE)


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    nginx, openssl = shutil.which("nginx"), shutil.which("openssl")
    if nginx is None or openssl is None:
        pytest.skip("there is no nginx, or no openssl, on this machine")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=clarion.example", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    text = NGINX.read_text().replace("/etc/clarion/tls/fullchain.pem", str(certificate))
    (tmp_path / "site.conf").write_text(text.replace("/etc/clarion/tls/key.pem", str(key)))
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary} include {tmp_path}/site.conf; }}\n"
    )
    checked = subprocess.run(
        [nginx, "-t", "-q", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_each_unit(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze on this machine")
    name = unit.name.replace("@.", "@collector.")
    text = unit.read_text().replace("/opt/clarion/bin/clarion", sys.executable)
    (tmp_path / name).write_text(text)
    checked = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in checked.stderr.splitlines() if name in line]
    assert told == [], checked.stderr


def test_units_are_shut_in_and_outwait_a_stop() -> None:
    assert [unit.name for unit in UNITS] == ["clarion.service", "clarion@.service"]
    for unit in UNITS:
        text = unit.read_text()
        for line in ("UMask=0077", "StateDirectory=clarion", "NoNewPrivileges=yes",
                     "ProtectSystem=strict", "User=clarion", "TimeoutStopSec=40"):  # fmt: skip
            assert f"\n{line}\n" in text, (unit.name, line)
    assert set(re.findall(r"clarion@([a-z]+)", UNITS[1].read_text())) == ROLES


def test_the_image_copies_what_is_there_and_runs_as_nobody_in_particular() -> None:
    text = DOCKERFILE.read_text()
    last = text.rpartition("\nFROM ")[2]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    assert copied
    for source in " ".join(copied).split():
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, one) for one in allowed), source
    [user] = re.findall(r"^USER (\d+):\d+$", last, re.MULTILINE)
    assert int(user) > 0
    assert "HEALTHCHECK" in last
    for form in re.findall(r"(?:CMD|ENTRYPOINT) (\[.*\])", last):
        assert json.loads(form)
    environment = dict(re.findall(r"(CLARION_[A-Z_]+)=(\S+)", last))
    settings = read_settings(environment)
    assert isinstance(settings, Settings), settings
    assert settings.metrics_listen is not None
    assert f":{settings.metrics_listen.port}/livez" in last
