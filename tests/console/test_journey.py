"""What a marketer does in the console on the first day, by role and name only; once with
JavaScript, once without, once on a phone, and once by keyboard alone."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

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
SOURCE_NAME = "app"


async def test_a_first_day(console: Console) -> None:
    """Joins, looks where events come from and sees one, writes a push, undoes its launch, launches
    it again, and finds out why Ada did not get it."""
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
    await people_come(console, word.lower())
    if is_first:
        await expect(page.get_by_text("The first events are here")).to_be_visible()
    await page.get_by_role("link", name="Connections").first.click()
    await page.get_by_role("link", name=SOURCE_NAME).click()
    await expect(page.get_by_text("Register Push").first).to_be_visible()

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

    row = page.get_by_role("row", name="The app was uninstalled, or its token is dead.")
    await row.get_by_role("link", name="1").click()
    await page.get_by_role("link", name="ada").click()
    await expect(page.get_by_role("heading", name="Ada")).to_be_visible()
    happened = page.get_by_role("region", name="What happened")
    await expect(happened.get_by_text("The app was uninstalled").first).to_be_visible()
    await page.context.close()


async def test_a_first_day_by_keyboard_alone(console: Console) -> None:
    page = await console.visitor()
    await page.goto(await console.invite())
    for label, text in (
        ("Email", "keys@example.com"),
        ("Your name", "Eva"),
        ("Password", PASSWORD),
    ):
        await to(page, "textbox", label)
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/")
    await people_come(console, "keys")
    await to(page, "link", "Connections")
    await page.keyboard.press("Enter")
    await to(page, "link", SOURCE_NAME)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Register Push").first).to_be_visible()

    await page.keyboard.press("g")
    await page.keyboard.press("c")
    await expect(page.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()
    await to(page, "link", "New campaign")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="New campaign")).to_be_visible()
    await to(page, "textbox", "Name")
    await page.keyboard.type("By keys")
    await to(page, "textbox", "Title")
    await page.keyboard.type("Spring is here")
    await to(page, "button", re.compile("^Review"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Review By keys")).to_be_visible()
    await to(page, "button", re.compile("^Send to 2 devices now"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    await to(page, "button", "Undo")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Undone: nothing was sent")).to_be_visible()

    await to(page, "button", re.compile("^Send to 2 devices now"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    console.clock.advance(21)
    await console.work()
    await expect(page.get_by_role("heading", name="By keys Done")).to_be_visible()
    row = page.get_by_role("row", name="The app was uninstalled, or its token is dead.")
    await reach(page, row.get_by_role("link", name="1"))
    await page.keyboard.press("Enter")
    await to(page, "link", "ada")
    await page.keyboard.press("Enter")
    happened = page.get_by_role("region", name="What happened")
    await expect(happened.get_by_text("The app was uninstalled").first).to_be_visible()

    await page.goto("/console/campaigns/calendar")
    await to(page, "link", "Next month")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="April 2026")).to_be_visible()
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


async def people_come(console: Console, word: str) -> None:
    """Ada, whose app is gone, and Grace. `word`: of their tokens, which are new each time."""
    await register(console, "ada", f"dead-{word}")
    await register(console, "grace", f"ok-{word}")


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


async def to(page: Page, role: str, name: str | re.Pattern[str]) -> None:
    """Press Tab until the element of that role and name has the focus, which must be seen."""
    role_of: Any = role
    await reach(page, page.get_by_role(role_of, name=name, exact=isinstance(name, str)))


async def reach(page: Page, wanted: Locator, steps: int = 120) -> None:
    """The same of an element that is found in another way."""
    await wanted.first.wait_for()
    for _ in range(steps):
        await page.keyboard.press("Tab")
        if await wanted.first.evaluate("element => element === document.activeElement"):
            seen = await wanted.first.evaluate("element => element.matches(':focus-visible')")
            assert seen, f"{wanted} does not show that it has the focus"
            return
    raise AssertionError(f"Tab does not lead to {wanted}")
