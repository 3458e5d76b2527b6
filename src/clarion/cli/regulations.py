"""`clarion customers erase | suppress | unsuppress | export`: what a customer may ask of us."""

import os
from pathlib import Path
from typing import Any

from clarion.cli.output import AsJson, Ending, ExitCode, Name, not_found, print_done, print_record
from clarion.cli.session import accepted, open_session
from clarion.privacy import commands
from clarion.privacy.data_export import open_dossier
from clarion.privacy.eraser import Eraser


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
    async with open_session() as session:
        eraser = Eraser(session.database, session.broker, session.clock)
        outcome = await commands.erase(session.services, session.actor, user_id, eraser)
        erased = accepted(outcome, name=user_id)
    print_record(
        {
            "events": erased.events,
            "deliveries": erased.deliveries,
            "refusals": erased.refusals,
        },
        as_json=json,
        title="Erased",
    )


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
    async with open_session() as session:
        outcome = await commands.suppress(session.services, session.actor, user_id)
        accepted(outcome, name=user_id)
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
    async with open_session() as session:
        outcome = await commands.unsuppress(session.services, session.actor, user_id)
    if not accepted(outcome, name=user_id):
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
    async with open_session() as session:
        outcome = await commands.begin_export(session.services, session.actor, user_id)
        customer = accepted(outcome, name=user_id)
        try:
            descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            why = f"{out} can not be written: {error.strerror}."
            raise Ending(ExitCode.USAGE, why) from None
        with os.fdopen(descriptor, "wb") as file:
            now = session.clock.now()
            zipped = await open_dossier(session.database, session.workspace_id, customer, now)
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
