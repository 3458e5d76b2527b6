"""What a marketer does in the console on the first day, by role and name only; once with
JavaScript, and once without."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from support.book import SOURCE
from support.console import PHONE, Console
from support.people import PASSWORD

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("console journey")]

WINDOWS: dict[str, dict[str, Any]] = {
    "Script": {},
    "Plain": {"javascript": False},
    "Phone": {"width": PHONE},
}
"""The kinds of browser windows that a first day is tried in, one after the other."""


async def test_a_first_day(console: Console) -> None:
    """Joins, sees the first event come, writes a push, undoes its launch, launches it again, and
    finds out why Ada did not get it."""
    for word, window in WINDOWS.items():
        await _first_day(console, word, window, is_first=word == "Script")


async def _first_day(
    console: Console, word: str, window: dict[str, Any], *, is_first: bool
) -> None:
    page = await console.visitor(**window)
    has_script = window.get("javascript", True)
    await join(console, page, f"{word.lower()}@example.com")
    if is_first:
        await expect(page.get_by_role("heading", name="Getting started")).to_be_visible()
        await expect(page.get_by_text("Waiting for the first event")).to_be_visible()
        assert await console.violations(page) == []
        await people_come(console)
        await expect(page.get_by_text("The first events are here")).to_be_visible()

    await page.get_by_role("link", name="Campaigns").first.click()
    await page.get_by_role("link", name="New campaign").click()
    await write(page, f"Spring {word}", has_script)
    await page.get_by_role("button", name=re.compile("^Review")).click()
    await expect(page.get_by_role("heading", name=f"Review Spring {word}")).to_be_visible()

    send = page.get_by_role("button", name="Send to 2 devices now")
    await send.click()
    await expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    if is_first:
        assert await console.violations(page) == []
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("Undone: nothing was sent")).to_be_visible()
    console.clock.advance(21)
    left = sum(console.service.world.provider.left.values())
    await console.work()
    assert sum(console.service.world.provider.left.values()) == left

    await send.click()
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    console.clock.advance(21)
    await console.work()
    if not has_script:
        await page.reload()
    await expect(page.get_by_role("heading", name=f"Spring {word} Done")).to_be_visible()
    await expect(page.get_by_text("The account balances")).to_be_visible()

    if is_first:
        row = page.get_by_role("row", name="The app was uninstalled, or its token is dead.")
        await row.get_by_role("link", name="1").click()
        await page.get_by_role("link", name="ada").click()
        await expect(page.get_by_role("heading", name="Ada")).to_be_visible()
        happened = page.get_by_role("region", name="What happened")
        await expect(happened.get_by_text("The app was uninstalled").first).to_be_visible()
        await register(console, "ada", "ok-again")
    await page.context.close()


async def test_two_people_on_one_draft_lose_nothing(console: Console) -> None:
    first, second = await console.visitor(), await console.visitor()
    await join(console, first, "one@example.com")
    await join(console, second, "two@example.com")
    await first.goto("/console/campaigns/new")
    await write(first, "For two", False)
    await first.get_by_role("button", name="Save draft").click()
    await expect(first.get_by_text("Saved.")).to_be_visible()
    console.clock.advance(1)

    await second.goto(first.url)
    await first.get_by_label("Title", exact=True).fill("Mine")
    await first.get_by_role("button", name="Save", exact=True).click()
    await expect(first.get_by_text("Saved.")).to_be_visible()

    await second.get_by_label("Title", exact=True).fill("Theirs")
    await second.get_by_role("button", name="Save", exact=True).click()
    await expect(second.get_by_text("Somebody else has saved this draft")).to_be_visible()
    await expect(second.get_by_label("Title", exact=True)).to_have_value("Theirs")
    await second.get_by_role("button", name="Save mine over theirs").click()
    await expect(second.get_by_text("Saved.")).to_be_visible()
    await first.reload()
    await expect(first.get_by_label("Title", exact=True)).to_have_value("Theirs")
    await first.context.close()
    await second.context.close()


async def test_a_wrong_form_keeps_what_was_typed_and_names_its_fields(console: Console) -> None:
    page = await console.visitor()
    await join(console, page, "wrong@example.com")
    await page.goto("/console/campaigns/new")
    await page.get_by_label("Text", exact=True).fill("Hello {{ customer.first_name")
    await page.get_by_label("Opens").fill("shop.example")
    await page.get_by_role("button", name="Save draft").click()
    wrong = page.get_by_role("alert")
    await expect(wrong.get_by_role("link", name="Name")).to_be_visible()
    await expect(wrong.get_by_role("link", name="Opens")).to_be_visible()
    await expect(page.get_by_label("Opens")).to_have_value("shop.example")
    await expect(page.get_by_label("Opens")).to_have_attribute("aria-invalid", "true")
    await page.context.close()


async def join(console: Console, page: Page, email: str) -> None:
    """Become an admin by a link."""
    await page.goto(await console.invite())
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Your name").fill("Eva")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Join").click()
    await page.wait_for_url("**/console/")


async def write(page: Page, name: str, has_script: bool) -> None:
    """A campaign for everyone."""
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Title", exact=True).fill("{{ customer.first_name | default: 'You' }}")
    await page.get_by_label("Text", exact=True).fill("Spring is here")
    await page.get_by_label("Opens").fill("https://shop.example/spring")
    if not has_script:
        preview = page.get_by_role("button", name="Preview")
        if await preview.count() and await preview.is_visible():
            await preview.click()
    else:
        await expect(page.get_by_text("2 devices").first).to_be_visible()


async def people_come(console: Console) -> None:
    """Ada, whose app is gone, and Grace."""
    await register(console, "ada", "dead-1")
    await register(console, "grace", "ok-1")


async def register(console: Console, user: str, token: str) -> None:
    service = console.service
    sources = (await service.get("/sources"))["data"]
    key = next(source["write_key"] for source in sources if source["id"] == str(SOURCE))
    traits = {"first_name": user.capitalize()}
    await service.send(
        key,
        {"type": "identify", "messageId": f"i-{token}", "userId": user, "traits": traits},
        {
            "type": "track",
            "event": "Register Push",
            "messageId": f"r-{token}",
            "userId": user,
            "properties": {"deviceId": f"d-{user}", "fcmToken": token, "deviceType": "Android"},
        },
    )
