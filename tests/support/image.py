"""A Dockerfile's steps, run where no container engine is: each stage is a directory that becomes
the root of its steps by `chroot`.

`FROM python:…` is stood in for by a root with nothing but what that image has, too: the Python
that runs the tests with its standard library, a shell, a few programs of Debian's, the libraries
that these ask for, and users. What else a step takes for granted is not there, and it fails. Needs
root, and programs of util-linux; `why_not` tells what is missing.
"""

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from support.patience import PATIENCE

PROGRAMS = (
    *("sh", "cat", "chmod", "chown", "cp", "env", "id", "install", "ln", "ls", "mkdir", "mv"),
    *("rm", "test", "true", "groupadd", "useradd", "nologin"),
)
"""Of what Debian's slim image has, what a step may call."""
LIBRARIES = (
    *("libstdc++.so.6", "libgcc_s.so.1", "librt.so.1", "libdl.so.2", "libpthread.so.0"),
    *("libm.so.6", "libutil.so.1", "libresolv.so.2", "libnss_files.so.2", "libnss_dns.so.2"),
)
"""Of the base image, besides those that its programs name: of C and C++, which wheels ask for."""
NEEDED = ("unshare", "nsenter", "setpriv", "chroot", "mount", "ldd", "groupadd", "useradd")
NOT_COPIED = ("test", "tests", "idlelib", "site-packages", "dist-packages", "config-*")
BASE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"

Step = Callable[["Stage"], None]
"""What is done in a step's place."""

_INSTRUCTION = re.compile(r"([A-Z]+)\s+(.*)", re.DOTALL)


@dataclass(kw_only=True)
class Stage:
    """A stage of the Dockerfile, and what its instructions have set so far."""

    root: Path
    environment: dict[str, str]
    name: str = ""
    directory: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def run(self, command: str) -> None:
        """A step in the shell of this root, as its user; fails where the step does."""
        done = subprocess.run(
            ["chroot", f"--userspec={self.user}", str(self.root), "/usr/bin/env", "-i",
             "-C", self.directory, *(f"{name}={value}" for name, value in self.environment.items()),
             "/bin/sh", "-c", command],
            capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"RUN {command}\n{done.stdout}{done.stderr}"

    def inside(self, path: str) -> Path:
        """Where a path of this root, or one below the working directory, is on this machine."""
        return self.root / os.path.normpath(os.path.join(self.directory, path)).lstrip("/")  # noqa: PTH118


def why_not() -> str:
    """Why no image can be built and run here, or nothing."""
    if os.geteuid() != 0:
        return "only root may change the root of a process"
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        return f"there is no {', '.join(missing)} on this machine"
    asked = ["unshare", "--mount", "--net", "--pid", "--fork", "true"]
    tried = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=PATIENCE)
    return f"this machine makes no namespaces: {tried.stderr.strip()}" if tried.returncode else ""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """A Dockerfile's instructions: the word, and the rest, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            match = _INSTRUCTION.fullmatch(line.strip())
            assert match is not None, line
            yield match[1], match[2]


def build(dockerfile: Path, context: Path, directory: Path, instead: Mapping[str, Step]) -> Stage:
    """The last stage of what the Dockerfile makes of the files in `context`.

    A `RUN` that holds a key of `instead` is not run: that is called in its place, once each."""
    stages: list[Stage] = []
    waiting = dict(instead)
    base = directory / "base"
    make_base(base)
    for word, rest in instructions(dockerfile.read_text()):
        if word == "FROM":
            _, _, name = rest.partition(" AS ")
            root = directory / f"stage-{len(stages)}"
            _copy(base, root)
            path = f"{Path(sys.base_prefix) / 'bin'}:{BASE_PATH}"
            stages.append(Stage(root=root, name=name, environment={"PATH": path}))
        elif word == "RUN" and (replaced := [key for key in waiting if key in rest]):
            waiting.pop(replaced[0])(stages[-1])
        else:
            _apply(stages, word, rest, context)
    assert not waiting, f"no step has {', '.join(waiting)}"
    return stages[-1]


def _apply(stages: list[Stage], word: str, rest: str, context: Path) -> None:
    stage = stages[-1]
    match word:
        case "RUN":
            stage.run(rest)
        case "COPY":
            *sources, target = shlex.split(rest)
            origin = context
            if sources[0].startswith("--from="):
                [named] = [stage for stage in stages if stage.name == sources[0][7:]]
                origin, sources = named.root, sources[1:]
            for source in sources:
                whole = origin / source.lstrip("/")
                if whole.is_dir() and origin is context:
                    # As .dockerignore says.
                    compiled = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(whole, stage.inside(target), ignore=compiled)
                else:
                    _copy_in(whole, stage.inside(target), target, len(sources))
        case "ENV":
            for pair in shlex.split(rest):
                name, _, value = pair.partition("=")
                stage.environment[name] = Template(value).substitute(stage.environment)
        case "USER":
            stage.user = rest
        case "WORKDIR":
            stage.directory = rest
            stage.inside(rest).mkdir(parents=True, exist_ok=True)
        case "VOLUME":
            stage.volumes.append(rest)
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        case "CMD":
            stage.command = json.loads(rest)
        case "HEALTHCHECK":
            stage.health = json.loads(rest.partition("CMD ")[2])
        case "EXPOSE" | "STOPSIGNAL":
            pass  # tell the engine, and change nothing within
        case _:
            raise AssertionError(f"not known here: {word} {rest}")


def _copy_in(source: Path, target: Path, told: str, count: int) -> None:
    """As COPY does: of a folder what is in it, and a file into a folder or as what is named."""
    if source.is_dir():
        _copy(source, target)
    elif told.endswith("/") or told == "." or count > 1:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target / source.name)
    else:
        shutil.copy2(source, target)


def _copy(source: Path, target: Path) -> None:
    """What is in a folder, with owners, modes, links and devices."""
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True, timeout=PATIENCE)


def make_base(root: Path) -> None:
    """What the base image brings, in an empty directory."""
    root.mkdir()
    for folder in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "dev", "proc", "var/lib"):
        (root / folder).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path(f"/{name}").is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    for name, minor in (("null", 3), ("zero", 5), ("urandom", 9)):
        os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        (root / "dev" / name).chmod(0o666)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc" / "group").write_text("root:x:0:\n")
    (root / "etc" / "nsswitch.conf").write_text("hosts: files dns\n")
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    for name in ("shadow", "gshadow", "login.defs"):
        (root / "etc" / name).touch(mode=0o600)
    binaries = [*_programs(root), *_python(root)]
    for library in _libraries(binaries):
        _place(library, root)


def _programs(root: Path) -> Iterator[Path]:
    for name in PROGRAMS:
        found = shutil.which(name, path=BASE_PATH)
        assert found is not None, name
        yield _place(Path(found), root)


def _python(root: Path) -> Iterator[Path]:
    """The Python of the tests at its own place, under the names it has in the image."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    binary = Path(sys.base_prefix) / "bin" / version
    yield _place(binary, root)
    for name in ("python", "python3"):
        (root / str(binary.with_name(name))[1:]).symlink_to(version)
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    ignored = shutil.ignore_patterns(*NOT_COPIED)
    shutil.copytree(library, root / str(library)[1:], ignore=ignored, dirs_exist_ok=True)
    # Where a distribution keeps pip for new environments outside of the library, as Debian does.
    if pip := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        shutil.copytree(pip, root / pip[1:], dirs_exist_ok=True)
    yield from (library / "lib-dynload").glob("*.so")


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    """All that the binaries are linked with, and what is taken for granted beside."""
    asked = ["ldd", *map(str, binaries)]
    told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=PATIENCE)
    found = {Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(", told.stdout, re.MULTILINE)}
    [libc] = [path for path in found if path.name == "libc.so.6"]
    return found | {path for name in LIBRARIES if (path := libc.with_name(name)).exists()}


def _place(path: Path, root: Path) -> Path:
    """Copies a file to where it stands on this machine, under that name, links resolved."""
    target = root / str(path)[1:]
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(path.resolve(), target)
    return path
