"""The pictures of docs/guides/console.md: `make tour`. Small ones, of what stands on a desk's
screen; the first page is that of a real `clarion serve`."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, Page

from clarion.accounts.actor import Role
from console.screens import open_screen, screens_of
from console.test_practice import Installation
from support.chromium import chromium
from support.console import fill, open_console
from support.people import PASSWORD

FOLDER = Path(__file__).parents[2] / "docs" / "guides" / "console"
SCALE = 0.6
WIDTH, HEIGHT = 1160, 680
PICTURES = {
    "composer": "compose",
    "review": "review",
    "report": "report",
    "customer": "customer-why",
    "device": "device",
    "audience": "audience-edit",
    "source": "source",
    "freshness": "freshness",
    "sending": "sending",
}
"""How a picture is called → which of the screens it shows."""


async def page_of(browser: Browser, origin: str) -> Page:
    context = await browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        device_scale_factor=SCALE,
        base_url=origin,
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    return await context.new_page()


async def take_first_page() -> None:
    """“Send me one now”, and the phone beside the steps."""
    with TemporaryDirectory(prefix="clarion-tour-") as directory:
        installation = Installation(Path(directory))
        await installation.start()
        try:
            async with chromium() as browser:
                page = await page_of(browser, installation.origin)
                await page.goto(installation.invitation())
                await page.get_by_label("Email").fill("eva@example.com")
                await page.get_by_label("Your name").fill("Eva")
                await page.get_by_label("Password").fill(PASSWORD)
                await page.get_by_role("button", name="Join").click()
                await page.get_by_role("button", name="Send me one now").click()
                await page.get_by_text("Your push is here.").wait_for()
                await page.screenshot(path=FOLDER / "first-push.png")
        finally:
            await installation.stop()


async def take_others() -> None:
    with TemporaryDirectory(prefix="clarion-tour-") as directory:
        async with open_console(Path(directory)) as console:
            screens = screens_of(await fill(console))
            page = await page_of(console.browser, console.origin)
            await console.let_in(page.context, await console.member(Role.ADMIN, "Eva"))
            for name, word in PICTURES.items():
                await open_screen(page, screens[word])
                await page.screenshot(path=FOLDER / f"{name}.png")


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    await take_first_page()
    await take_others()
    print(f"Look at {FOLDER}")


if __name__ == "__main__":
    asyncio.run(main())
