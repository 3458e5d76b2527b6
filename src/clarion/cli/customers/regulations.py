"""`clarion customers erase | suppress | unsuppress | export`: what a customer may ask of us."""

import os
from contextlib import aclosing
from pathlib import Path
from typing import Any

from clarion.cli.api import ask, open_api
from clarion.cli.api.client import path_of
from clarion.cli.output import AsJson, Ending, ExitCode, Name, not_found, print_done, print_record


async def erase(user_id: Name, *, yes: bool = False, json: AsJson = False) -> None:
    """Erase a customer: nothing is left of them, and what comes later is dropped.

    Deliveries stay in the books, as nobody's. This can not be undone.

    For example:

    ```
    clarion customers export user-4711 --out user-4711.zip
    clarion customers erase user-4711 --yes
    ```

    Parameters
    ----------
    user_id
        Whom.
    yes
        Do it: without this, nothing is done.
    """
    _confirmed(yes, "erase this customer for good")
    erased = await ask("DELETE", path_of("customers", user_id, "customer"), name=user_id)
    print_record(erased, as_json=json, title="Erased")


async def suppress(user_id: Name, *, yes: bool = False, json: AsJson = False) -> None:
    """Collect nothing more of a customer and send nothing; what is known is kept.

    For example:

    ```
    clarion customers suppress user-4711 --yes
    ```

    Parameters
    ----------
    user_id
        Whom.
    yes
        Do it: without this, nothing is done.
    """
    _confirmed(yes, "drop whatever this customer does from now on")
    path = f"{path_of('customers', user_id, 'customer')}/suppress"
    await ask("POST", path, name=user_id)
    _done("Suppressed: nothing is collected and nothing sent.", {"suppressed": True}, json)


async def unsuppress(user_id: Name, *, json: AsJson = False) -> None:
    """Collect of a customer and send to them again, even of one who was erased.

    For example:

    ```
    clarion customers unsuppress user-4711
    ```

    Parameters
    ----------
    user_id
        Whom.
    """
    path = path_of("customers", user_id, "customer")
    async with open_api() as api:
        try:
            customer = await api.call("GET", path)
        except Ending as ending:
            if ending.code is not ExitCode.NOT_FOUND:
                raise
            customer = None  # who was erased is not known, and may be followed again
        await api.call("POST", f"{path}/unsuppress", name=user_id)
    if customer is not None and customer["suppressed_at"] is None:
        raise not_found("suppressed customer", user_id)
    _done("From now on they are followed and reached again.", {"suppressed": False}, json)


async def export(user_id: Name, *, out: Path, json: AsJson = False) -> None:
    """Export everything that is known of a customer, as a zip of JSON files with a README.

    For example:

    ```
    clarion customers export user-4711 --out user-4711.zip
    ```

    Parameters
    ----------
    user_id
        Whose.
    out
        The file to write, for its owner's eyes alone.
    """
    path = f"{path_of('customers', user_id, 'customer')}/export"
    async with (
        open_api() as api,
        aclosing(api.stream(path, media="application/zip", name=user_id)) as zipped,
    ):
        first = await anext(zipped)
        try:
            descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            why = f"{out} can not be written: {error.strerror}."
            raise Ending(ExitCode.USAGE, why) from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(first)
            async for piece in zipped:
                file.write(piece)
    _done(f"Everything that is known of them is in {out}.", {"file": str(out)}, json)


def _done(sentence: str, record: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_record(record, as_json=True)
    else:
        print_done(sentence)


def _confirmed(yes: bool, what: str) -> None:
    if not yes:
        raise Ending(ExitCode.USAGE, f"This would {what}. Say --yes to do it.", word="confirmation")
