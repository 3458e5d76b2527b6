"""Pushes to one customer, at once."""

from typing import Annotated, Any

from cyclopts import App as Commands
from cyclopts import Parameter

from clarion.cli.api import ask
from clarion.cli.campaigns.draft import Several, parse_pair, parse_value
from clarion.cli.output import (
    AsJson,
    Name,
    console,
    escape,
    print_done,
    print_json,
    print_records,
    read_id,
)

commands = Commands(name="pushes", help="Pushes: one to one customer, at once.")

Record = dict[str, Any]


@commands.command
async def send(
    user_id: Name,
    *,
    campaign: str | None = None,
    title: str | None = None,
    body: str | None = None,
    event: Several = None,
    last_active: Annotated[bool, Parameter(negative="")] = False,
    key: str | None = None,
    json: AsJson = False,
) -> None:
    """Send a push to one customer now, before what waits of campaigns.

    Its content is that of a campaign, or a title and a body of its own. With a key the same push is
    sent once, however often the command is run within 30 days.

    For example:

    ```
    clarion pushes send user-4711 --campaign order-sent --event order_id=4711 --key order-4711
    clarion pushes send user-4711 --title "Your code is 123456" --last-active
    ```

    Parameters
    ----------
    user_id
        The customer's user id, or their id.
    campaign
        The code or the id of the campaign whose content it has.
    title
        The push's title, where it has content of its own.
    body
        Its text.
    event
        NAME=VALUE, which templates read as event.NAME: a JSON value or a text; may be given several
        times.
    last_active
        Only to the device that was seen last.
    key
        An Idempotency-Key: a text of your own for this push.
    """
    wire: Record = {"user_id": user_id}
    if campaign is not None:
        wire["campaign"] = campaign
    content = {"title": title, "body": body}
    given = {name: text for name, text in content.items() if text is not None}
    if given:
        wire["content"] = given
    if event:
        pairs = (parse_pair(text, "--event") for text in event)
        wire["event"] = {name: parse_value(value) for name, value in pairs}
    if last_active:
        wire["devices"] = "last_active"
    headers = {} if key is None else {"Idempotency-Key": key}
    push = await ask("POST", "/pushes", body=wire, headers=headers, name=user_id)
    if json:
        print_json(push)
        return
    if push["skipped"] is None:
        print_done(f"The push {push['id']} is on its way.")
    else:
        print_done(f"The push {push['id']} goes to no device: {push['skipped']}.")


@commands.command
async def show(push_id: str, *, json: AsJson = False) -> None:
    """Show a push, and what became of it on each device.

    For example:

    ```
    clarion pushes show 01981f70-2c1d-7e4a-9b3f-5a6c7d8e9f01
    ```
    """
    push = await ask("GET", f"/pushes/{read_id(push_id, 'push')}", name=push_id)
    if json:
        print_json(push)
        return
    who = push["customer"]["user_id"] or push["customer"]["id"]
    console.print(f"To {escape(who)}, asked for at {push['created_at']}")
    print_records(
        push["deliveries"],
        as_json=False,
        columns=("device_id", "platform", "state", "reason", "attempts", "received_at"),
        none=f"It goes to no device: {push['skipped'] or 'its deliveries are removed'}.",
    )
