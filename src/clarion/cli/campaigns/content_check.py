"""`clarion campaigns try | check | test`: a content before it is saved or sent."""

from typing import Annotated, Any

from cyclopts import Parameter

from clarion.cli.api import ask
from clarion.cli.campaigns.draft import Flags, Several, read_change
from clarion.cli.campaigns.report import print_contents
from clarion.cli.campaigns.steps import Record, path_of_campaign, print_warnings
from clarion.cli.output import AsJson, console, escape, print_json, print_records

_NO_FLAGS = Flags()


async def try_out(
    *,
    flags: Flags = _NO_FLAGS,
    seen_by: Annotated[str | None, Parameter(name="--as")] = None,
    as_nobody: Annotated[bool, Parameter(negative="")] = False,
    in_language: str | None = None,
    json: AsJson = False,
) -> None:
    """Show a content that is not saved as a customer would see it, its size, and how it fits.

    Nothing is saved or sent. Without --as it is shown for somebody random, of the audience where
    one is given.

    For example:

    ```
    clarion campaigns try --title "Hi {{ customer.name | default: 'there' }}" --as-nobody
    clarion campaigns try --file spring.json --as ada --in-language de --json
    ```

    Parameters
    ----------
    seen_by
        A user id, or a customer's id.
    as_nobody
        As somebody of whom nothing is known.
    in_language
        In this language, in the place of theirs.
    """
    wire = _content_and_audience(flags)
    wire |= {"user_id": seen_by, "language": in_language}
    if as_nobody:
        wire["seen_by"] = "nobody"
    preview = await ask("POST", "/campaigns/preview", body=wire)
    if json:
        print_json(preview)
        return
    platforms: dict[str, Record] = preview["platforms"]
    customer = preview["customer"]
    who = "nobody: no traits" if customer is None else customer["user_id"] or customer["id"]
    console.print(f"As seen by {escape(who)}", highlight=False)
    print_contents({name: shown["content"] for name, shown in platforms.items()})
    print_records(
        [
            {"": "language"}
            | {name: shown["language"] or "-" for name, shown in platforms.items()},
            {"": "bytes"}
            | {
                name: f"{shown['bytes']} of {shown['bytes_max']}"
                for name, shown in platforms.items()
            },
        ],
        as_json=False,
        columns=("", *platforms),
        none="",
    )
    print_records(
        [
            {"surface": surface["surface"]}
            | {name: _meter(surface[name]) for name in ("title", "body")}
            for shown in platforms.values()
            for surface in shown["surfaces"]
        ],
        as_json=False,
        columns=("surface", "title", "body"),
        none="It shows nothing.",
    )
    for fault in preview["faults"]:
        _print_fault(fault["platform"], fault)
    print_warnings(preview["warnings"])


async def check(
    campaign_id: str | None = None,
    *,
    flags: Flags = _NO_FLAGS,
    limit: int | None = None,
    json: AsJson = False,
) -> None:
    """Render a campaign, or a content that is not saved, for a sample of its audience.

    It tells for how many it fails, is too large or prints nothing in a place: line and cause.

    For example:

    ```
    clarion campaigns check 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    clarion campaigns check --file spring.json --limit 1000 --json
    ```

    Parameters
    ----------
    campaign_id
        Which; without one, what flags or a file say.
    limit
        How many devices are looked at, 200 unless it is said, 1000 at most.
    """
    if campaign_id is None:
        wire = _content_and_audience(flags) | {"limit": limit}
        checked = await ask("POST", "/campaigns/check", body=wire)
    else:
        path = f"{path_of_campaign(campaign_id)}/check"
        checked = await ask("POST", path, body={"limit": limit}, name=campaign_id)
    if json:
        print_json(checked)
        return
    for finding in checked["findings"]:
        _print_fault(f"{finding['customers']} of {checked['customers']} customers", finding)
    console.print(
        f"{checked['customers_fine']:,} of {checked['customers']:,} customers looked at are fine.",
        highlight=False,
    )


async def test(
    campaign_id: str | None = None,
    *,
    flags: Flags = _NO_FLAGS,
    to: Several = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> None:
    """Send a campaign, or a content that is not saved, to a few customers' devices as a test.

    It is in no account. Without --to it goes to the test people: those in the audience test-people.
    With --dry-run FCM only checks it, and no device hears of it.

    For example:

    ```
    clarion campaigns test 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --to ada
    clarion campaigns test --title "Hello" --dry-run --json
    ```

    Parameters
    ----------
    campaign_id
        Which; without one, what flags or a file say.
    to
        A customer's user id; several: all of them.
    dry_run
        Only ask FCM whether it would take it.
    """
    wire: Record = {"user_ids": to, "dry_run": dry_run}
    if campaign_id is None:
        wire["content"] = _content_and_audience(flags).get("content")
        sent = await ask("POST", "/campaigns/test", body=wire)
    else:
        path = f"{path_of_campaign(campaign_id)}/test"
        sent = await ask("POST", path, body=wire, name=campaign_id)
    print_records(
        sent["pushes"],
        as_json=json,
        columns=(
            "user_id",
            "device_id",
            "platform",
            "language",
            "outcome",
            "reason",
            "detail",
        ),
        none="It went to no device.",
    )


def _content_and_audience(flags: Flags) -> Record:
    wire = read_change(None, flags, {})
    return {name: wire[name] for name in ("content", "audience") if name in wire}


def _meter(meter: Record) -> str:
    parts = [
        f"{meter[name]}"
        if meter[f"{name}_max"] is None
        else f"{meter[name]}/{meter[f'{name}_max']}"
        for name in ("characters", "lines")
        if meter[name] is not None
    ]
    unit = (" characters", " lines")
    seen_parts = ", ".join(part + unit[index] for index, part in enumerate(parts))
    return f"{seen_parts}, cut" if meter["is_cut"] else seen_parts


def _print_fault(whom: str, fault: dict[str, Any]) -> None:
    console.print(
        f"[red]✗[/] {escape(whom)}: [bold]{escape(fault['field'])}[/] line {fault['line']} "
        f"{escape(fault['message'])}",
        highlight=False,
        soft_wrap=True,
    )
