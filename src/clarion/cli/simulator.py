"""The simulator: a wire-faithful FCM, for development and tests."""

from pathlib import Path

import msgspec
from cyclopts import App as Commands

from clarion.cli.output import AsJson, Ending, ExitCode, console, print_json
from clarion.cli.session import load_settings
from clarion.config import Address, read_address
from clarion.simulator.serving import make_key, serve

LISTEN = "127.0.0.1:8443"

commands = Commands(name="simulator")


@commands.default
async def simulator(*, listen: str = LISTEN, data_dir: Path | None = None) -> None:
    """Run a wire-faithful FCM for development and tests, until Ctrl-C: TLS, HTTP/2, OAuth.

    What it answers is chosen by the token's beginning (`dead-`, `malformed-`, `quota-once-`,
    `flaky-` and others); every other token is accepted.

    Its certificate authority is written to `simulator-ca.pem` in the data directory: point
    CLARION_FCM_CA there and CLARION_FCM_URL to this address.

    For example:

    ```
    clarion simulator
    clarion simulator --listen 127.0.0.1:9443
    ```

    Parameters
    ----------
    listen
        HOST:PORT.
    data_dir
        Where its certificates and keys are; CLARION_DATA_DIR by default.
    """
    directory = data_dir or load_settings().data_dir
    address = _address(listen)
    console.print(
        f"FCM simulator on https://{address} · CA {directory / 'simulator-ca.pem'}",
        highlight=False,
        soft_wrap=True,
    )
    await serve(address.host, address.port, directory)


@commands.command
async def key(
    *,
    project: str,
    out: Path,
    url: str = f"https://{LISTEN}",
    data_dir: Path | None = None,
    json: AsJson = False,
) -> None:
    """Write a service-account JSON that the simulator honours.

    For example:

    ```
    clarion simulator key --project shop --out shop.json
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
        The simulator's data directory; CLARION_DATA_DIR by default.
    """
    directory = data_dir or load_settings().data_dir
    made = make_key(project, url.rstrip("/"), directory)
    _write(out, msgspec.json.format(msgspec.json.encode(made), indent=2))
    if json:
        print_json({"project_id": project, "file": str(out)})
    else:
        console.print(f"[green]✓[/] {out} is a key of project {project}.", highlight=False)


def _write(file: Path, content: bytes) -> None:
    """A file that holds a key: nobody else may read it."""
    try:
        file.touch(mode=0o600)
        file.write_bytes(content)
    except OSError as error:
        raise Ending(ExitCode.FAILURE, f"{file} can not be written: {error}") from error


def _address(text: str) -> Address:
    try:
        return read_address(text)
    except ValueError as error:
        raise Ending(ExitCode.USAGE, f"--listen {error}", word="usage") from None
