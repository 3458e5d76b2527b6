"""Audiences: named sets of customers, whom campaigns are for."""

from pathlib import Path
from typing import Any

import msgspec
from cyclopts import App as Commands

from clarion.cli.api import ask, ask_list
from clarion.cli.audiences.looking import explain, schema, skipped_of
from clarion.cli.audiences.members import Flag, Record, content_of_file, path_of_audience, upload
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    Limit,
    console,
    counted,
    print_done,
    print_json,
    print_record,
    print_records,
    refused,
    with_times,
)

PAGE = 50

commands = Commands(
    name="audiences", help="Audiences: named sets of customers, whom campaigns are for."
)
for _verb in (upload, explain, schema):
    commands.command(_verb)


@commands.command
async def create(
    code: str,
    *,
    name: str | None = None,
    rule: str | None = None,
    file: Path | None = None,
    list: Flag = False,
    json: AsJson = False,
) -> None:
    """Save an audience: a rule, or with --list an empty static list.

    For example:

    ```
    clarion audiences create gold --rule '{"trait": "plan", "test": "equals", "value": "gold"}'
    clarion audiences create lapsed --name "Bought once, long ago" --file lapsed.json
    clarion audiences create testers --list
    ```

    Parameters
    ----------
    code
        What campaigns and other audiences name it by: a-z, 0-9, - and _.
    name
        For people; without it, its code.
    rule
        The rule, as JSON.
    file
        A JSON file with the rule.
    list
        A static list, which `clarion audiences upload` puts user ids on.
    """
    wire = {"code": code, "name": name or code, "rule": None if list else _rule(rule, file)}
    audience = await ask("POST", "/audiences", body=wire)
    print_record(with_times(audience) if not json else audience, as_json=json)


@commands.command(name="list")
async def list_(*, archived: Flag = False, limit: Limit = PAGE, json: AsJson = False) -> None:
    """List audiences, newest first.

    For example:

    ```
    clarion audiences list
    ```

    Parameters
    ----------
    archived
        List archived ones instead.
    limit
        How many.
    """
    query = {"archived": "true" if archived else None}
    audiences = await ask_list("/audiences", query=query, limit=limit)
    print_records(
        audiences,
        as_json=json,
        columns=("code", "name", "owner", "members", "updated_at"),
        none="There are no audiences here: clarion audiences create CODE",
    )


@commands.command
async def show(code: str, *, json: AsJson = False) -> None:
    """Show an audience with its rule.

    For example:

    ```
    clarion audiences show gold
    ```
    """
    audience = await ask("GET", path_of_audience(code), name=code)
    print_record(with_times(audience) if not json else audience, as_json=json)


@commands.command
async def edit(
    code: str,
    *,
    name: str | None = None,
    rule: str | None = None,
    file: Path | None = None,
    json: AsJson = False,
) -> None:
    """Give an audience another name, or another rule. Launches that are under way keep the rule
    that they began with.

    For example:

    ```
    clarion audiences edit gold --name "Gold and up"
    ```

    Parameters
    ----------
    name
        Its name from now on.
    rule
        Its rule from now on, as JSON.
    file
        A JSON file with that rule.
    """
    change: Record = {} if name is None else {"name": name}
    if rule is not None or file is not None:
        change["rule"] = _rule(rule, file)
    audience = await ask("PATCH", path_of_audience(code), body=change, name=code)
    print_record(with_times(audience) if not json else audience, as_json=json)


@commands.command
async def archive(code: str, *, json: AsJson = False) -> None:
    """Take an audience out of the list, where nothing that is still to happen uses it.

    For example:

    ```
    clarion audiences archive gold
    ```
    """
    _say(await ask("POST", f"{path_of_audience(code)}/archive", name=code), "is archived", json)


@commands.command
async def restore(code: str, *, json: AsJson = False) -> None:
    """Put an archived audience back into the list.

    For example:

    ```
    clarion audiences restore gold
    ```
    """
    _say(await ask("POST", f"{path_of_audience(code)}/restore", name=code), "is restored", json)


@commands.command
async def delete(code: str, *, json: AsJson = False) -> None:
    """Remove an audience for good, where no campaign and no audience names it.

    For example:

    ```
    clarion audiences delete gold
    ```
    """
    await ask("DELETE", path_of_audience(code), name=code)
    if json:
        print_json({"deleted": code})
    else:
        print_done(f"{code} is deleted.")


@commands.command
async def count(
    code: str | None = None,
    *,
    rule: str | None = None,
    file: Path | None = None,
    json: AsJson = False,
) -> None:
    """Count an audience, or a rule that is not saved: customers, devices by platform, and what
    would be skipped.

    For example:

    ```
    clarion audiences count gold
    clarion audiences count --rule '{"trait": "age", "test": "more_than", "value": 30}'
    ```

    Parameters
    ----------
    code
        The audience.
    rule
        A rule instead, as JSON.
    file
        A JSON file with a rule instead.
    """
    if code is not None:
        answer = await ask("GET", f"{path_of_audience(code)}/count", name=code)
    else:
        answer = await ask("POST", "/audiences/count", body={"rule": _rule(rule, file)})
    if json:
        print_json(answer)
        return
    reach = answer["reach"]
    by_platform = ", ".join(f"{count:,} {name}" for name, count in reach["platforms"].items())
    have = "has" if reach["customers"] == 1 else "have"
    devices = counted(reach["devices"], "device") + (f" ({by_platform})" if by_platform else "")
    console.print(
        f"{counted(answer['customers'], 'customer')}. {reach['customers']:,} of them {have} "
        f"{devices}; {skipped_of(reach)}.",
        highlight=False,
        soft_wrap=True,
    )


@commands.command
async def sample(
    code: str | None = None,
    *,
    rule: str | None = None,
    file: Path | None = None,
    limit: Limit = 10,
    json: AsJson = False,
) -> None:
    """Show some of the customers in an audience, or of those a rule reaches.

    For example:

    ```
    clarion audiences sample gold --limit 5
    ```

    Parameters
    ----------
    code
        The audience.
    rule
        A rule instead, as JSON.
    file
        A JSON file with a rule instead.
    limit
        How many, up to 100.
    """
    if code is not None:
        page = await ask(
            "GET", f"{path_of_audience(code)}/sample", query={"limit": limit}, name=code
        )
    else:
        body = {"rule": _rule(rule, file), "limit": limit}
        page = await ask("POST", "/audiences/sample", body=body)
    print_records(
        page["data"],
        as_json=json,
        columns=("id", "user_id", "traits", "last_seen_at"),
        none="Nobody is in it.",
    )


def _rule(rule: str | None, file: Path | None) -> Any:
    if (rule is None) == (file is None):
        raise Ending(ExitCode.USAGE, "Give a rule: with --rule or with --file.", word="usage")
    try:
        return msgspec.json.decode((rule or "").encode() if file is None else content_of_file(file))
    except msgspec.DecodeError as error:
        raise refused(f"The rule is no JSON: {error}") from error


def _say(audience: Record, what: str, as_json: bool) -> None:
    if as_json:
        print_record(audience, as_json=True)
    else:
        print_done(f"{audience['code']} {what}.")
