"""Pictures of every screen, to be looked at: `make screens` puts them into `screens/`."""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Page, expect

from clarion.accounts.actor import Role
from support.console import PHONE, WIDTH, Console, fill, open_console

FOLDER = Path(__file__).parents[2] / "screens"
SIGNED_OUT = {"sign-in": "/console/sign-in", "invitation": "", "password-reset": ""}
"""The paths of the last two hold tokens: `signed_out_of`."""
SCREENS = {
    "home": "/console/",
    "campaigns": "/console/campaigns",
    "campaigns-none": "/console/campaigns?state=ended",
    "calendar": "/console/campaigns/calendar",
    "calendar-next": "/console/campaigns/calendar?month=2026-04",
    "calendar-week": "/console/campaigns/calendar?week=now",
    "calendar-none": "/console/campaigns/calendar?month=2026-01",
    "campaigns-archived": "/console/campaigns?state=archived",
    "compose-new": "/console/campaigns/new",
    "customers": "/console/customers",
    "customers-none": "/console/customers?q=nobody",
    "audiences": "/console/audiences",
    "audience-new": "/console/audiences/new",
    "list-new": "/console/audiences/upload",
    "connections": "/console/connections",
    "freshness": "/console/connections/freshness?in_days=90",
    "firebase-add": "/console/connections/firebase",
    "settings": "/console/settings",
    "team": "/console/settings/team",
    "keys": "/console/settings/keys",
    "sending": "/console/settings/sending",
    "privacy": "/console/settings/privacy",
    "audit": "/console/settings/audit",
    "me": "/console/me",
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
    "customer-why": ("why", ""),
    "device": ("device", ""),
    "erase": ("customer", "/erase"),
    "audience": ("audience", "?who=ada"),
    "audience-hard": ("hard-audience", ""),
    "audience-edit": ("audience", "/edit"),
    "list": ("list", "?who=nobody"),
    "source": ("source", ""),
    "source-hard": ("hard-source", ""),
    "identity": ("source", "/identity"),
    "event": ("event", ""),
    "firebase": ("app", ""),
    "firebase-delete": ("app", "/delete"),
    "cancel": ("scheduled", "/cancel"),
}
"""A word → which thing of a full workspace, and what follows its path."""
ERRORS = {
    "not-found": ("/console/nothing-here", "", {}),
    "no-customer": ("/console/customers/01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70", "", {}),
    "no-device": ("/console/devices?id=none", "", {}),
    "no-event": ("/console/events?id=none", "", {}),
    "no-audience": ("/console/audiences/none", "", {}),
    "compose-wrong": (
        "/console/campaigns/new",
        "/console/campaigns",
        {"name": "", "title": "{{", "whom": "everyone"},
    ),
    "audience-wrong": ("/console/audiences/new", "/console/audiences", {"name": "", "json": "{"}),
    "list-wrong": ("/console/audiences/upload", "/console/audiences/upload", {"name": ""}),
    "source-wrong": ("/console/connections", "/console/sources", {"name": " "}),
    "firebase-wrong": (
        "/console/connections/firebase",
        "/console/connections/firebase",
        {"json": '{"project_info": {}, "client": []}'},
    ),
    "settings-wrong": ("/console/settings", "/console/settings", {"stale_after_days": "x"}),
    "settings-preview": (
        "/console/settings",
        "/console/settings",
        {"preview": "1", "events": "9", "deliveries": "", "ingest_log": "", "audit": ""},
    ),
    "sending-wrong": (
        "/console/settings/sending",
        "/console/settings/sending",
        {"pushes": "x", "period": "7", "unit": "days", "category": ""},
    ),
    "invitation-wrong": (
        "/console/settings/team",
        "/console/settings/invitations",
        {"email": "nobody", "role": "viewer"},
    ),
    "key-wrong": ("/console/settings/keys", "/console/settings/keys", {"scope": "read"}),
    "key-made": (
        "/console/settings/keys",
        "/console/settings/keys",
        {"name": "x", "scope": "read"},
    ),
    "me-wrong": ("/console/me", "/console/me/preferences", {"zone": "Nowhere"}),
    "password-wrong": ("/console/me", "/console/me/password", {"current": "x", "new": "x"}),
}
"""A word → a page, the address that a form is posted to from it (empty: none is), and the form."""


def screens_of(things: dict[str, str]) -> dict[str, str]:
    """A word for each screen of a full workspace, and its path."""
    return SCREENS | {word: things[thing] + more for word, (thing, more) in OF_THINGS.items()}


async def signed_out_of(console: Console) -> dict[str, str]:
    """The screens of those who are not signed in."""
    reset = await console.password_reset()
    return SIGNED_OUT | {"invitation": await console.invite(), "password-reset": reset}


async def open_screen(page: Page, path: str) -> None:
    """With what the page asks for once it is there."""
    await page.goto(path)
    await expect(page.locator('[hx-trigger^="load"]')).to_have_count(0)


async def send_form(page: Page, path: str, form: dict[str, str]) -> None:
    """Send a form as the open page would, without its checks; the answer is shown."""
    async with page.expect_navigation():
        await page.evaluate(
            """([path, form]) => {
              const made = document.createElement("form");
              made.method = "post"; made.action = path;
              const token = document.querySelector("[name=csrf_token]").value;
              for (const [name, value] of Object.entries({csrf_token: token, ...form})) {
                const field = document.createElement("input");
                field.name = name; field.value = value; made.append(field);
              }
              document.body.append(made); made.submit();
            }""",
            [path, form],
        )


async def take(console: Console, wanted: list[str]) -> None:
    """Each screen in light and dark, on a desk and on a phone."""
    things = await fill(console)
    token = await console.member(Role.ADMIN, "Eva")
    signed_out = await signed_out_of(console)
    FOLDER.mkdir(exist_ok=True)
    for width, scheme in ((WIDTH, "light"), (WIDTH, "dark"), (PHONE, "light"), (PHONE, "dark")):
        page = await console.visitor(width=width, scheme=scheme)
        for word, path in signed_out.items():
            if not wanted or word in wanted:
                await open_screen(page, path)
                await page.screenshot(path=FOLDER / f"{word}-{width}-{scheme}.png", full_page=True)
        await console.let_in(page.context, token)
        for word, path in screens_of(things).items():
            if not wanted or word in wanted:
                await open_screen(page, path)
                await page.screenshot(path=FOLDER / f"{word}-{width}-{scheme}.png", full_page=True)
        for word, (path, posted, form) in ERRORS.items():
            if not wanted or word in wanted:
                await open_screen(page, path)
                if posted:
                    await send_form(page, posted, form)
                await page.screenshot(path=FOLDER / f"{word}-{width}-{scheme}.png", full_page=True)
        await page.context.close()


async def main() -> None:
    with TemporaryDirectory(prefix="clarion-screens-") as directory:
        async with open_console(Path(directory)) as console:
            await take(console, sys.argv[1:])
    print(f"Look at {FOLDER}")


if __name__ == "__main__":
    asyncio.run(main())
