"""The services that `deploy/` declares: of the compose file, of the manifests, of systemd's units.

See `support.deployed` for what is replaced in them.
"""

import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml

from support.deployed import (
    CLARION,
    Ask,
    Image,
    Service,
    command_succeeds,
    interpolated,
    on_loopback,
    replaced,
)
from support.pages import ROOT
from support.ports import free_ports
from support.postgres import PostgresServer

COMPOSE = ROOT / "deploy" / "compose" / "compose.yaml"
KUBERNETES = ROOT / "deploy" / "kubernetes" / "clarion.yaml"
UNITS = ROOT / "deploy" / "systemd"
NATS = Path(CLARION[0]).with_name("nats-server")
DATA = "/var/lib/clarion"


def address_of(service: Service, setting: str = "CLARION_LISTEN") -> str:
    return f"http://{service.environment[setting]}"


def compose_services(
    postgres: PostgresServer, directory: Path, given: Mapping[str, str]
) -> list[Service]:
    """`given`: the variables of the shell that calls compose. The proxy is not among them."""
    shutil.copy(COMPOSE.with_name("make-secrets.sh"), directory)
    subprocess.run(["sh", str(directory / "make-secrets.sh")], check=True)
    file = interpolated(yaml.safe_load(COMPOSE.read_text()), given)
    [nats_port] = free_ports(1)
    servers = {
        "@postgres/": f"@127.0.0.1:{postgres.port}/",
        "//nats:4222": f"//127.0.0.1:{nats_port}",
    }
    for secret in file["secrets"].values():
        path = directory / secret["file"]
        path.write_text(replaced(path.read_text(), servers))
    image = Image.read()
    services = []
    for name, declared in file["services"].items():
        folder = directory / name
        folder.mkdir()
        ours = servers | on_loopback() | {"/run/secrets": str(directory / "secrets")}
        environment = {
            key: replaced(str(value), ours)
            for key, value in declared.get("environment", {}).items()
        }
        match declared["image"].partition(":")[0]:
            case "clarion":
                service = _of_image(image, name, declared["command"], environment, folder, ours)
            case "nats":
                ours |= {"/data": str(folder)}
                words = [replaced(word, ours) for word in declared["command"]]
                words = [str(NATS), *words, "-a", "127.0.0.1", "-p", str(nats_port)]
                service = Service(name=name, words=words, environment=environment, directory=folder)
            case "postgres":
                service = Service(name=name, words=[], environment=environment, directory=folder)
            case "caddy":
                continue
            case other:
                raise AssertionError(f"not known here: {other}")
        service.after = _conditions(declared.get("depends_on", {}))
        service.is_well = _compose_check(declared, service, image, postgres, ours)
        services.append(service)
    return services


def _conditions(depends_on: Any) -> dict[str, str]:
    if isinstance(depends_on, list):
        return dict.fromkeys(depends_on, "service_started")
    return {name: it["condition"] for name, it in depends_on.items()}


def _of_image(
    image: Image,
    name: str,
    words: list[str],
    environment: Mapping[str, str],
    folder: Path,
    ours: Mapping[str, str],
) -> Service:
    """A container of Clarion's: its volume is a folder of its own."""
    ours = {**ours, DATA: str(folder)}
    whole = {key: replaced(value, ours) for key, value in image.environment.items()}
    return Service(
        name=name, words=[*CLARION, *words], environment={**whole, **environment}, directory=folder
    )


def _compose_check(
    declared: dict[str, Any],
    service: Service,
    image: Image,
    postgres: PostgresServer,
    ours: Mapping[str, str],
) -> Ask | None:
    health = declared.get("healthcheck", {})
    if health.get("disable"):
        return None
    if "test" in health:
        [kind, program, *rest] = health["test"]
        assert kind == "CMD"
        assert program == "pg_isready"
        at = ["-h", "127.0.0.1", "-p", str(postgres.port)]
        return command_succeeds([str(postgres.programs / program), *rest, *at])
    if declared["image"] == "clarion":
        python, *rest = image.health
        assert python == "python"
        return command_succeeds([CLARION[0], *(replaced(word, ours) for word in rest)])
    return None


async def enter_postgres(postgres: PostgresServer, service: Service, password: str) -> None:
    """What the image `postgres` does at its first start, by its variables; `password`: that in its
    file."""
    name, database = (service.environment[f"POSTGRES_{what}"] for what in ("USER", "DB"))
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        await connection.execute(f"DROP ROLE IF EXISTS {name}")
        await connection.execute(f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD '{password}'")
        await connection.execute(f"CREATE DATABASE {database} OWNER {name}")
    finally:
        await connection.close()


def manifest_services(servers: Mapping[str, str], directory: Path) -> list[Service]:
    """One pod of each Deployment, after the Job. `servers`: what stands in the manifests as a
    server's address, and what stands for it here."""
    objects = list(yaml.safe_load_all(KUBERNETES.read_text()))
    kept: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for one in objects:
        if one["kind"] in ("ConfigMap", "Secret"):
            kept[one["kind"], one["metadata"]["name"]] = one.get("data") or one["stringData"]
    image = Image.read()
    services = []
    for one in objects:
        if one["kind"] not in ("Job", "Deployment"):
            continue
        name = "migrate" if one["kind"] == "Job" else one["metadata"]["name"]
        folder = directory / name
        pod = one["spec"]["template"]["spec"]
        [container] = pod["containers"]
        ours = {**servers, **on_loopback()}
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for mount in container["volumeMounts"]:
            at = folder / mount["name"]
            at.mkdir(parents=True)
            ours[mount["mountPath"]] = str(at)
            if secret := volumes[mount["name"]].get("secret"):
                for file, value in kept["Secret", secret["secretName"]].items():
                    (at / file).write_text(replaced(value, servers))
        del ours["/tmp"]
        settings = image.environment.copy()
        for source in container["envFrom"]:
            settings |= kept["ConfigMap", source["configMapRef"]["name"]]
        environment = {key: replaced(str(value), ours) for key, value in settings.items()}
        service = Service(
            name=name,
            words=[*CLARION, *container["args"]],
            environment=environment,
            directory=folder,
            stop_seconds=pod["terminationGracePeriodSeconds"],
        )
        if one["kind"] == "Deployment":
            service.after = {"migrate": "service_completed_successfully"}
            service.is_well = _probes(container, service)
        services.append(service)
    return services


def _probes(container: dict[str, Any], service: Service) -> Ask:
    """All of a container's probes at once, as its kubelet asks them."""
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    settings = {8080: "CLARION_LISTEN", 9464: "CLARION_METRICS_LISTEN"}
    asked = [
        container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    ]

    async def ask() -> bool:
        async with httpx.AsyncClient() as calls:
            for get in asked:
                url = address_of(service, settings[ports[get["port"]]])
                try:
                    answer = await calls.get(url + get["path"])
                except httpx.TransportError:
                    return False
                if answer.status_code >= 400:
                    return False
        return True

    return ask


def unit_service(unit: str, etc: Path, directory: Path, more: Mapping[str, str]) -> Service:
    """`unit`: such as `clarion@sender`. `etc`: in place of /etc/clarion; `more`: replaced besides.

    Hardening as far as a process can do it to itself: no capability, no new privileges, the umask,
    the limit of open files, and, for root, a file system that can only be read but for its folder.
    """
    base, _, instance = unit.partition("@")
    file = UNITS / f"{base}{'@' if instance else ''}.service"
    options = defaultdict(list)
    for key, value in _lines(file.read_text()):
        options[key].append(value)
    [state] = options["StateDirectory"]
    folder, credentials = directory / "state" / state, directory / f"credentials-{unit}"
    folder.mkdir(parents=True, exist_ok=True, mode=int(options["StateDirectoryMode"][0], 8))
    credentials.mkdir(mode=0o700)
    ours = {"%i": instance, "%S": str(directory / "state"), "%d": str(credentials), **more}
    ours |= {"/etc/clarion": str(etc)}
    for loaded in options["LoadCredential"]:
        name, _, source = loaded.partition(":")
        shutil.copyfile(replaced(source, ours), credentials / name)
    environment = {}
    for value in options["Environment"]:
        name, _, said = value.partition("=")
        environment[name] = replaced(said, ours)
    for value in options["EnvironmentFile"]:
        path = Path(replaced(value.removeprefix("-"), ours))
        if path.exists() or not value.startswith("-"):
            environment |= dict(_lines(path.read_text()))
    [start] = options["ExecStart"]
    program, *words = start.split()
    assert program == "/opt/clarion/bin/clarion"
    return Service(
        name=unit,
        words=[*CLARION, *(replaced(word, ours) for word in words)],
        environment={key: replaced(value, ours) for key, value in environment.items()},
        directory=Path(replaced(options["WorkingDirectory"][0], ours)),
        stop_seconds=float(options["TimeoutStopSec"][0]),
        umask=int(options["UMask"][0], 8),
        prefix=_shut_in(options, folder),
    )


_READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,ro,bind /
cd "$1"; limit=$2; shift 2
ulimit -n "$limit" 2>/dev/null || true
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def _shut_in(options: Mapping[str, list[str]], folder: Path) -> list[str]:
    assert options["NoNewPrivileges"] == ["yes"] and options["CapabilityBoundingSet"] == [""]
    assert options["ProtectSystem"] == ["strict"]
    programs = all(shutil.which(name) for name in ("unshare", "setpriv", "mount"))
    if os.geteuid() != 0 or not programs:
        return []
    limit = options["LimitNOFILE"][0]
    return ["unshare", "--mount", "sh", "-c", _READ_ONLY, "sh", str(folder), limit]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            yield key, value
