"""The simulator: a wire-faithful FCM, for development and tests."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App as Commands
from cyclopts import Parameter

from clarion.cli.output import AsJson, Ending, ExitCode, console, escape, print_done, print_json
from clarion.cli.session import load_settings
from clarion.config import Address, read_address, read_fcm_url
from fcm_simulator.server.serving import SimulatorOptions, check, make_key, serve

LISTEN = "127.0.0.1:8443"

commands = Commands(name="simulator")


@commands.default
async def simulator(
    *,
    listen: str = LISTEN,
    data_dir: Path | None = None,
    plain: Annotated[bool, Parameter(negative="")] = False,
    strict: Annotated[bool, Parameter(negative="")] = False,
    registrations: Path | None = None,
    http2_faults: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Run a wire-faithful FCM for development and tests, until Ctrl-C: TLS, HTTP/2, OAuth.

    What it answers is chosen by the token's beginning (`dead-`, `malformed-`, `quota-once-`,
    `flaky-` and others), or by the life of a registration that was listed; every other token is
    accepted. The pushes it took are shown on /simulator/.

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
    plain
        HTTP without TLS, for tools that can not trust an authority.
    strict
        Only listed registrations exist; a send to any other one is UNREGISTERED.
    registrations
        A file of registrations to list at the start: a JSON object a line.
    http2_faults
        GOAWAY and REFUSED_STREAM can be ordered, at the price of speed.
    """
    directory = data_dir or load_settings().data_dir
    address = _address(listen)
    options = SimulatorOptions(
        host=address.host,
        port=address.port,
        data_dir=directory,
        plain=plain,
        strict=strict,
        registrations=registrations,
        http2_faults=http2_faults,
    )
    try:
        check(options)
    except (OSError, ValueError, RuntimeError) as error:
        raise Ending(ExitCode.FAILURE, f"The simulator can not start: {error}") from error
    authority = "" if plain else f" · CA {escape(str(directory / 'simulator-ca.pem'))}"
    console.print(f"FCM simulator on {options.url}{authority}", highlight=False, soft_wrap=True)
    console.print(f"The last pushes: {options.url}/simulator/", highlight=False, soft_wrap=True)
    await serve(options)


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
    try:
        address = read_fcm_url(url)
    except ValueError as error:
        raise Ending(ExitCode.USAGE, f"--url {error}", word="usage") from None
    made = make_key(project, address, directory)
    _write(out, msgspec.json.format(msgspec.json.encode(made), indent=2))
    if json:
        print_json({"project_id": project, "file": str(out)})
    else:
        print_done(f"{out} is a key of project {project}.")


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
