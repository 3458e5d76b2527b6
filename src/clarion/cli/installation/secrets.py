"""secrets: what is sealed in the database, and with which key."""

from cyclopts import App as Commands

from clarion.cli.output import AsJson, Ending, ExitCode, print_done, print_json
from clarion.cli.session import open_session
from clarion.parts import open_vault
from clarion.storage.reseal import Resealed, look, reseal

commands = Commands(name="secrets", help="The key that seals Firebase keys and identity secrets.")


@commands.command
async def check(*, json: AsJson = False) -> None:
    """Tell whether everything that is sealed can be opened, and with which key.

    For example:

    ```
    clarion secrets check
    ```
    """
    async with open_session() as session:
        _tell(await look(session.database, open_vault(session.settings)), json, is_done=False)


@commands.command
async def rotate(*, json: AsJson = False) -> None:
    """Seal everything anew with CLARION_SECRET_KEY; CLARION_FORMER_SECRET_KEYS open it meanwhile.

    Set both in every process first, so that each of them opens either. It may be cut off and run
    again. Afterwards CLARION_FORMER_SECRET_KEYS can go.

    For example:

    ```
    clarion secrets rotate
    ```
    """
    async with open_session() as session:
        _tell(await reseal(session.database, open_vault(session.settings)), json, is_done=True)


def _tell(resealed: Resealed, json: bool, *, is_done: bool) -> None:
    if json:
        print_json(
            {
                "sealed_anew" if is_done else "to_seal_anew": resealed.sealed_anew,
                "current": resealed.current,
                "locked": [{"what": secret.what, "id": secret.id} for secret in resealed.locked],
            }
        )
    elif is_done:
        print_done(f"{resealed.sealed_anew} sealed anew; {resealed.current} were so already.")
    else:
        print_done(
            f"{resealed.current} are sealed with the key of now, {resealed.sealed_anew} with a "
            "former one."
        )
    if resealed.locked:
        raise Ending(
            ExitCode.FAILURE,
            f"{len(resealed.locked)} can not be opened: add the secret that sealed them to "
            "CLARION_FORMER_SECRET_KEYS. If it is lost, add the Firebase keys again "
            "(`clarion firebase-apps add`) and make new identity secrets:",
            faults=[(secret.what, secret.id) for secret in resealed.locked],
            word="vault_locked",
        )
