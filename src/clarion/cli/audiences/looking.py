"""`clarion audiences explain | schema`: why somebody is in an audience, and what occurs."""

from typing import Any

import msgspec

from clarion.cli.api import ask
from clarion.cli.audiences.members import Record, path_of_audience
from clarion.cli.output import AsJson, console, escape, print_json, print_records


async def explain(code: str, customer: str, *, json: AsJson = False) -> None:
    """Say why a customer is in an audience, or not, condition by condition.

    For example:

    ```
    clarion audiences explain gold user-4711
    ```

    Parameters
    ----------
    customer
        Their user id, or their id.
    """
    explained = await ask(
        "GET", f"{path_of_audience(code)}/explain", query={"customer": customer}, name=customer
    )
    if json:
        print_json(explained)
        return
    verdict = "is" if explained["is_in"] else "is not"
    who = explained["user_id"] or explained["customer_id"]
    console.print(f"{escape(who)} {verdict} in {escape(code)}.", highlight=False)
    _print_explanation(explained["explanation"], 0)


async def schema(*, json: AsJson = False) -> None:
    """List the traits, events and properties that occur, with types and examples: for rules.

    For example:

    ```
    clarion audiences schema
    ```
    """
    answer = await ask("GET", "/schema")
    if json:
        print_json(answer)
        return
    rows = [{"of": "trait", **field} for field in answer["traits"]]
    for event in answer["events"]:
        rows.append({"of": "event", "path": event["name"], "types": [], "examples": []})
        rows += [{"of": "", **field} for field in event["properties"]]
    shown = [
        row
        | {
            "types": ", ".join(row["types"]),
            "examples": ", ".join(str(example) for example in row["examples"][:3]),
        }
        for row in rows
    ]
    print_records(
        shown, as_json=False, columns=("of", "path", "types", "examples"), none="Nothing came yet."
    )


_SKIPPED = {
    "opted_out": "opted out",
    "no_firebase_app": "without a Firebase app",
    "apns_token": "with Apple's token in place of FCM's",
    "notifications_off": "with notifications off",
}
"""What is counted of devices that are skipped, in words."""


def skipped_of(reach: Record) -> str:
    """Which of the devices that an audience reaches would be skipped."""
    counts = [f"{reach[name]:,} {words}" for name, words in _SKIPPED.items() if reach[name]]
    return f"skipped of them: {', '.join(counts)}" if counts else "none of them is skipped"


def _print_explanation(explanation: Record, depth: int) -> None:
    sign = "[green]✓[/]" if explanation["holds"] else "[red]✗[/]"
    condition = explanation["condition"]
    text = condition if isinstance(condition, str) else _json(condition)
    known = explanation["known"]
    has = "" if known is None else f"  (has {escape(_json(known))})"
    console.print(f"{'  ' * depth}{sign} {escape(text)}{has}", highlight=False, soft_wrap=True)
    for part in explanation["parts"]:
        _print_explanation(part, depth + 1)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
