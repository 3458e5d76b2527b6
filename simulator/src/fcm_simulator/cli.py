"""The commands `fcm-simulator` and `fcm-simulator key`.

The options are read here and nowhere else. Another program may offer the same commands as a part of
its own: `make_commands` takes a `Program`, which says what the commands are called there, how they
print and how they fail.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

import uvloop
from cyclopts import App as Commands
from cyclopts import CycloptsError, Parameter

from fcm_simulator import __version__
from fcm_simulator.server.serving import (
    SimulatorOptions,
    check,
    end_process,
    has_started,
    make_key,
    serve,
)

LISTEN = "127.0.0.1:8443"
DATA_DIR = Path("fcm-simulator-data")
"""Where `fcm-simulator` keeps its files if nothing else is said."""
FAILURE = 1
USAGE = 2
INTERRUPTED = 128 + signal.SIGINT

_EXIT_CODES = "Exit codes: 0 done; 1 failure; 2 wrong argument."

_SERVE_HELP = """\
Run a wire-faithful FCM for development and tests, until Ctrl-C: TLS, HTTP/2, OAuth.

What it answers is chosen by the token's beginning (`dead-`, `malformed-`, `quota-once-`,
`flaky-` and others), or by the life of a registration that was listed; every other token is
accepted. The pushes it took are shown on /simulator/.

Its certificate authority is written to `simulator-ca.pem` in the data directory: {trust}

For example:

```
{command}
{command} --listen 127.0.0.1:9443
```

Parameters
----------
listen
    HOST:PORT.
data_dir
    Where its certificates and keys are; {data_dir} by default.
plain
    HTTP without TLS, for tools that can not trust an authority.
strict
    Only listed registrations exist; a send to any other one is UNREGISTERED.
registrations
    A file of registrations to list at the start: a JSON object a line.
http2_faults
    GOAWAY and REFUSED_STREAM can be ordered, at the price of speed.
"""

_KEY_HELP = """\
Write a service-account JSON that the simulator honours.

For example:

```
{command} key --project shop --out shop.json
```

Parameters
----------
project
    The Firebase project id it is for.
out
    The file to write.
url
    Where the simulator listens.
data_dir
    The simulator's data directory; {data_dir} by default.
json
    Print JSON for scripts, one document.
"""


class Program(Protocol):
    """The program whose part the commands are."""

    command: str
    """How `fcm-simulator` is spelled there."""
    data_dir_help: str
    """What the data directory is by default, in words."""
    trust_help: str
    """What to do with the file of the certificate authority: the end of a sentence."""

    def data_dir(self) -> Path:
        """The data directory by default."""

    def print_line(self, text: str) -> None:
        """Print what the simulator says of itself."""

    def print_done(self, sentence: str) -> None:
        """Print what was done."""

    def print_json(self, document: Any) -> None:
        """Print one JSON document."""

    def failure(self, message: str, code: int) -> Exception:
        """The exception that ends the command. `code`: FAILURE or USAGE."""


def make_commands(program: Program, *, name: str) -> Commands:
    """`name`: that of the group of commands; its own command runs the simulator."""
    commands = Commands(name=name)

    async def run_simulator(
        *,
        listen: str = LISTEN,
        data_dir: Path | None = None,
        plain: Annotated[bool, Parameter(negative="")] = False,
        strict: Annotated[bool, Parameter(negative="")] = False,
        registrations: Path | None = None,
        http2_faults: Annotated[bool, Parameter(negative="")] = False,
    ) -> None:
        directory = data_dir or program.data_dir()
        try:
            host, port = read_listen(listen)
        except ValueError as error:
            raise program.failure(f"--listen {error}", USAGE) from None
        options = SimulatorOptions(
            host=host,
            port=port,
            data_dir=directory,
            plain=plain,
            strict=strict,
            registrations=registrations,
            http2_faults=http2_faults,
        )
        try:
            check(options)
        except (OSError, ValueError) as error:
            raise program.failure(f"The simulator can not start: {error}", FAILURE) from error
        authority = "" if plain else f" · CA {directory / 'simulator-ca.pem'}"
        program.print_line(f"FCM simulator on {options.url}{authority}")
        program.print_line(f"The last pushes: {options.url}/simulator/")
        await serve(options)

    async def key(
        *,
        project: str,
        out: Path,
        url: str = f"https://{LISTEN}",
        data_dir: Path | None = None,
        json: Annotated[bool, Parameter(name="--json", negative="")] = False,
    ) -> None:
        directory = data_dir or program.data_dir()
        try:
            address = read_url(url)
        except ValueError as error:
            raise program.failure(f"--url {error}", USAGE) from None
        try:
            _write_key(out, make_key(project, address, directory))
        except _NotWritten as error:
            raise program.failure(str(error), FAILURE) from error
        if json:
            program.print_json({"project_id": project, "file": str(out)})
        else:
            program.print_done(f"{out} is a key of project {project}.")

    for function, words in ((run_simulator, _SERVE_HELP), (key, _KEY_HELP)):
        function.__doc__ = words.format(
            command=program.command, data_dir=program.data_dir_help, trust=program.trust_help
        )
    commands.default(run_simulator)
    commands.command(key)
    return commands


def read_listen(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT, [V6]:PORT or :PORT. Raises ValueError with the cure."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"must be HOST:PORT, such as {LISTEN}, not {text!r}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"an IPv6 address goes in brackets, such as [::1]:8443, not {text!r}")
    return host or "0.0.0.0", int(port)


def read_url(text: str) -> str:
    """A simulator's own address, without a slash at its end: https, or http to this machine.
    Raises ValueError."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError("must be https://HOST[:PORT]") from None
    if "@" in parts.netloc:  # not repeated: it may be a password
        raise ValueError("must be https://HOST[:PORT], without a user or a password")
    if parts.scheme not in ("http", "https") or not host or parts.query:
        raise ValueError(f"must be https://HOST[:PORT], not {text!r}")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("must be https: access tokens would cross the network in the clear")
    return text.rstrip("/")


def main(tokens: Sequence[str] | None = None) -> None:
    """The entry point of `fcm-simulator`: runs one command and exits with its code."""
    os.umask(0o077)  # keys and certificates are for their owner alone
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    code = run(sys.argv[1:] if tokens is None else tokens)
    if has_started():
        end_process(code)
    sys.exit(code)


def run(tokens: Sequence[str]) -> int:
    """Run one command of `fcm-simulator`; returns its exit code."""
    commands = make_commands(_Standalone(), name="fcm-simulator")
    commands.version = __version__
    commands.help_epilogue = _EXIT_CODES
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(
                commands.run_async(list(tokens), exit_on_error=False, result_action="return_value")
            )
    except CycloptsError:  # which it has printed
        return USAGE
    except _Failed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.filename is None:
            raise
        print(f"error: {error.filename} can not be used: {error.strerror}.", file=sys.stderr)
        return FAILURE
    return 0


class _Failed(Exception):
    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class _NotWritten(Exception):
    """The file of a key can not be written; says which, and why."""


class _Standalone:
    """`fcm-simulator` itself."""

    command = "fcm-simulator"
    data_dir_help = f"`{DATA_DIR}`"
    trust_help = "your sender has to trust it."

    def data_dir(self) -> Path:
        return DATA_DIR

    def print_line(self, text: str) -> None:
        print(text, flush=True)

    def print_done(self, sentence: str) -> None:
        print(sentence)

    def print_json(self, document: Any) -> None:
        print(json.dumps(document, indent=2))

    def failure(self, message: str, code: int) -> Exception:
        return _Failed(message, code)


def _write_key(file: Path, key: dict[str, str]) -> None:
    """A file that nobody else may read. Raises `_NotWritten`."""
    try:
        file.touch(mode=0o600)
        file.write_text(json.dumps(key, indent=2))
    except OSError as error:
        raise _NotWritten(f"{file} can not be written: {error}") from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
