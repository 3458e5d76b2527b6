"""Pictures of every screen, to be looked at: `make screens` puts them into `screens/`."""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from clarion.accounts.actor import Role
from support.console import PHONE, WIDTH, Console, fill, open_console

FOLDER = Path(__file__).parents[2] / "screens"
SIGNED_OUT = {"sign-in": "/console/sign-in"}
SCREENS = {
    "home": "/console/",
    "campaigns": "/console/campaigns",
    "campaigns-none": "/console/campaigns?state=ended",
    "calendar": "/console/campaigns/calendar",
    "calendar-next": "/console/campaigns/calendar?month=2026-04",
    "calendar-none": "/console/campaigns/calendar?month=2026-01",
    "campaigns-archived": "/console/campaigns?state=archived",
    "compose-new": "/console/campaigns/new",
    "customers": "/console/customers",
    "customers-none": "/console/customers?q=nobody",
    "audiences": "/console/audiences",
    "audience-new": "/console/audiences/new",
    "connections": "/console/connections",
    "firebase-add": "/console/connections/firebase",
    "settings": "/console/settings",
    "team": "/console/settings/team",
    "keys": "/console/settings/keys",
    "audit": "/console/settings/audit",
    "me": "/console/me",
    "not-found": "/console/nothing-here",
}
"""A word → where it is, of those that need no id."""
OF_THINGS = {
    "compose": ("draft", "/edit"),
    "compose-arabic": ("arabic", "/edit"),
    "compose-hard": ("hard", "/edit"),
    "compose-full": ("full", "/edit"),
    "review": ("draft", "/review"),
    "review-full": ("full", "/review"),
    "review-proposed": ("proposed", "/review"),
    "report-scheduled": ("scheduled", ""),
    "report-paused": ("paused", ""),
    "report": ("done", ""),
    "report-repeating": ("repeating", ""),
    "deliveries": ("done", "/deliveries"),
    "deliveries-none": ("done", "/deliveries?state=expired&platform=iOS"),
    "customer": ("customer", ""),
    "erase": ("customer", "/erase"),
    "audience": ("audience", ""),
    "audience-edit": ("audience", "/edit"),
    "source": ("source", ""),
    "firebase": ("app", ""),
    "firebase-delete": ("app", "/delete"),
    "cancel": ("scheduled", "/cancel"),
}
"""A word → which thing of a full workspace, and what follows its path."""


def screens_of(things: dict[str, str]) -> dict[str, str]:
    """A word for each screen, and its path."""
    return SCREENS | {word: things[thing] + more for word, (thing, more) in OF_THINGS.items()}


async def take(console: Console, wanted: list[str]) -> None:
    """Each screen in light and dark, on a desk and on a phone."""
    things = await fill(console)
    token = await console.member(Role.ADMIN, "Eva")
    FOLDER.mkdir(exist_ok=True)
    for width, scheme in ((WIDTH, "light"), (WIDTH, "dark"), (PHONE, "light"), (PHONE, "dark")):
        page = await console.visitor(width=width, scheme=scheme)
        for word, path in (SIGNED_OUT | screens_of(things)).items():
            if word not in SIGNED_OUT and not await page.context.cookies():
                await console.let_in(page.context, token)
            if wanted and word not in wanted:
                continue
            if word not in SIGNED_OUT:
                await console.let_in(page.context, token)
            await page.goto(path)
            await page.screenshot(path=FOLDER / f"{word}-{width}-{scheme}.png", full_page=True)
        await page.context.close()


async def main() -> None:
    with TemporaryDirectory(prefix="clarion-screens-") as directory:
        async with open_console(Path(directory)) as console:
            await take(console, sys.argv[1:])
    print(f"Look at {FOLDER}")


if __name__ == "__main__":
    asyncio.run(main())
