"""The composer in a browser: what is saved while one writes, and what survives a reload."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from clarion.accounts.actor import Role
from console.test_journey import people_come
from support.book import SOURCE
from support.console import Console
from support.people import PASSWORD

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("console composer")]

NEW = "/console/campaigns/new"
HALF = "Hello {{ customer.first_name"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(console: Console) -> str:
    await people_come(console, "1")
    await console.service.ingestor.step()
    return await console.member(Role.ADMIN, "Eva")


async def window(console: Console, token: str) -> Page:
    page = await console.visitor()
    await console.let_in(page.context, token)
    return page


async def begin(page: Page, name: str) -> None:
    await page.goto(NEW)
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Title", exact=True).fill("Spring is here")
    await expect(page.get_by_text("Saved at")).to_be_visible()


async def test_what_is_written_is_saved_by_itself_and_what_is_half_survives_a_reload(
    console: Console, token: str
) -> None:
    page = await window(console, token)
    await begin(page, "By itself")
    await expect(page).to_have_url(re.compile(r"/campaigns/[0-9a-f-]+/edit$"))
    console.clock.advance(1)
    await page.get_by_label("Text", exact=True).fill("All that grows")
    await expect(page.locator("#saved").get_by_text(f"{console.clock.now():%M:%S}")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Text", exact=True)).to_have_value("All that grows")

    await page.get_by_label("Text", exact=True).fill(HALF)
    await expect(page.locator("#saved").get_by_text("Not saved yet:")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    await page.reload()
    await expect(page.get_by_label("Text", exact=True)).to_have_value(HALF)
    await expect(
        page.get_by_text("What you had typed here and was not saved is back")
    ).to_be_visible()

    await page.goto("/console/campaigns/calendar")
    await page.go_back()
    await expect(page.get_by_label("Text", exact=True)).to_have_value(HALF)
    await page.get_by_role("button", name="Throw it away").click()
    await expect(page.get_by_label("Text", exact=True)).to_have_value("All that grows")
    await page.context.close()


async def test_of_two_tabs_the_second_is_told_by_itself_and_loses_nothing(
    console: Console, token: str
) -> None:
    first = await window(console, token)
    await begin(first, "Two tabs")
    second = await first.context.new_page()
    await second.goto(first.url)
    console.clock.advance(1)
    await first.get_by_label("Title", exact=True).fill("Mine")
    await expect(first.get_by_role("button", name="Save", exact=True)).to_be_visible()
    await first.get_by_role("button", name="Save", exact=True).click()
    await expect(first.get_by_text("Saved.")).to_be_visible()

    await second.get_by_label("Title", exact=True).fill("Theirs")
    await expect(second.get_by_text("Somebody else has saved this draft")).to_be_visible()
    await expect(second.get_by_text("It was Eva")).to_be_visible()
    assert await console.violations(second) == []
    await expect(second.get_by_label("Title", exact=True)).to_have_value("Theirs")
    await second.get_by_role("link", name="Take theirs").click()
    await expect(second.get_by_label("Title", exact=True)).to_have_value("Mine")
    await first.context.close()


async def test_nothing_is_lost_while_clarion_is_away_or_the_session_is_over(
    console: Console, token: str
) -> None:
    page = await window(console, token)
    await begin(page, "Away")
    await page.route("**/autosave", lambda route: route.abort())
    title = page.get_by_label("Title", exact=True)
    await title.fill("Typed while it was away")
    await expect(page.locator("#saved")).to_contain_text("Clarion does not answer")
    await page.unroute("**/autosave")
    console.clock.advance(1)
    await expect(page.locator("#saved")).to_contain_text("Saved at", timeout=20_000)

    draft = page.url
    await page.context.clear_cookies()
    page.on("dialog", lambda dialog: dialog.accept())
    await title.fill("Typed after the session's end")
    await page.wait_for_url("**/sign-in?next=**")
    await console.let_in(page.context, token)
    await page.goto(draft)
    await expect(title).to_have_value("Typed after the session's end")
    await expect(page.locator("#saved")).to_contain_text("Saved at")
    await page.context.close()


async def test_a_restart_of_the_server_in_the_middle_loses_nothing_and_is_said(
    console: Console, token: str
) -> None:
    page = await window(console, token)
    await begin(page, "Restart")
    await page.get_by_label("These user ids").check()
    await page.locator("#f-user_ids").fill("grace")  # whose device stays, for other tests
    text = page.get_by_label("Text", exact=True)
    await console.serving.stop()
    await text.fill("Typed while it was down")
    await expect(page.locator("#saved")).to_contain_text("Clarion does not answer")
    console.service.send_through(console.service.provider)  # an app that knows of nothing before
    await console.serving.start()
    console.clock.advance(1)
    await expect(page.locator("#saved")).to_contain_text("Saved at")
    await page.reload()
    await expect(text).to_have_value("Typed while it was down")

    await page.get_by_role("button", name=re.compile("^Review")).click()
    await page.get_by_role("button", name="Send to 1 device now").click()
    await expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    await console.serving.stop()
    console.clock.advance(21)
    await console.work()
    away = page.get_by_text("Clarion does not answer now")
    await expect(away).to_be_visible()
    assert await console.violations(page) == []
    await console.serving.start()
    await expect(page.get_by_text("The account balances")).to_be_visible()
    await expect(away).to_be_hidden()
    await page.context.close()


async def test_who_signs_in_anew_in_another_tab_goes_on_writing_in_this_one(
    console: Console,
) -> None:
    """The forms that are open have the former session's token."""
    page = await window(console, await console.member(Role.AUTHOR, "Ruth"))
    await begin(page, "Signed in anew")
    other = await page.context.new_page()
    await other.goto("/console/sign-in")
    await other.get_by_label("Email").fill("ruth@example.com")
    await other.get_by_label("Password").fill(PASSWORD)
    await other.get_by_role("button", name="Sign in").click()
    await other.wait_for_url("**/console/")

    console.clock.advance(1)
    title = page.get_by_label("Title", exact=True)
    await title.fill("Typed after that")
    await expect(page.locator("#saved")).to_contain_text(f"{console.clock.now():%M:%S}")
    await title.fill("Typed at last")
    await expect(page.locator("#previews").get_by_text("Typed at last").first).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    await page.context.close()


async def test_what_fails_for_a_moment_takes_nothing_from_a_page(
    console: Console, token: str
) -> None:
    page = await window(console, token)
    await page.goto(f"/console/sources/{SOURCE}")
    event = page.get_by_text("Register Push").first
    await expect(event).to_be_visible()

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, content_type="text/html", body="<h1>Not now</h1>")

    await page.route("**/console/sources/*", fail)
    away = page.get_by_text("Clarion does not answer now")
    await expect(away).to_be_visible()
    await expect(event).to_be_visible()
    await page.unroute("**/console/sources/*")
    await expect(away).to_be_hidden()
    await expect(event).to_be_visible()
    await page.context.close()


async def test_languages_are_tabs_that_keys_move_between(console: Console, token: str) -> None:
    page = await window(console, token)
    await begin(page, "Languages")
    await page.get_by_label("Another language").fill("de")
    await page.get_by_role("button", name="Add the language").click()
    await expect(page.get_by_role("tab", name="German")).to_have_attribute("aria-selected", "true")
    german = page.get_by_label("Title, German", exact=True)
    await expect(german).to_have_attribute("placeholder", "Spring is here")
    await german.fill("Der Frühling ist da")
    await page.get_by_role("tab", name="German").press("ArrowLeft")
    await expect(page.get_by_role("tab", name="For all")).to_be_focused()
    await expect(german).to_be_hidden()
    await page.get_by_role("tab", name="For all").press("ArrowRight")
    await expect(page.get_by_text("Der Frühling ist da").first).to_be_visible()
    assert await console.violations(page) == []
    await expect(page.get_by_text("Saved at")).to_be_visible()
    await page.get_by_role("button", name="Remove German").click()
    await expect(page.get_by_role("tab")).to_have_count(0)
    await page.context.close()


async def test_a_trait_is_put_in_with_what_stands_there_without_it(
    console: Console, token: str
) -> None:
    page = await window(console, token)
    await begin(page, "Personal")
    await page.get_by_text("Personal: put a trait in").click()
    await page.get_by_label("Trait", exact=True).fill("first_name")
    await page.get_by_role("button", name="Into the text").click()
    await expect(page.get_by_text("say what stands there for people without it")).to_be_visible()
    await page.get_by_label("For who has none").fill("friend")
    await page.get_by_role("button", name="Into the text").click()
    text = page.get_by_label("Text", exact=True)
    await expect(text).to_have_value('{{ customer.first_name | default: "friend" }}')
    await page.get_by_role("radio", name="Somebody unknown").check()
    await expect(page.locator("#previews").get_by_text("friend").first).to_be_visible()
    await page.context.close()


async def test_an_emoji_is_found_by_keys_and_put_where_one_was_writing(
    console: Console, token: str
) -> None:
    page = await window(console, token)
    await begin(page, "Emoji")
    title = page.get_by_label("Title", exact=True)
    await title.press("Home")
    await page.get_by_role("button", name="Emoji").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="grinning face")).to_be_focused()
    assert await console.violations(page) == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Emoji")).to_be_hidden()
    await expect(title).to_have_value("Spring is here")

    await page.get_by_role("button", name="Emoji").press("Enter")
    await expect(page.get_by_role("button", name="grinning face")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("button", name="heart eyes")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(title).to_have_value("😍Spring is here")
    await expect(title).to_be_focused()
    await expect(page.locator("#previews").get_by_text("😍Spring is here").first).to_be_visible()
    await page.context.close()


async def test_a_picture_is_looked_at_by_the_browser_and_one_that_does_not_load_is_said(
    console: Console, token: str
) -> None:
    page = await window(console, token)
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.url)
        name = route.request.url.rpartition("/")[2]
        if name == "gone.png":
            await route.fulfill(status=404)
            return
        size = {"wide.svg": 'width="1024" height="512"', "high.svg": 'width="400" height="800"'}
        body = f'<svg xmlns="http://www.w3.org/2000/svg" {size[name]}/>'
        await route.fulfill(body=body, content_type="image/svg+xml")

    await page.route("https://pictures.example/**", answer)
    await begin(page, "Pictures")
    said = page.locator("#picture-said")
    for name, words in (
        ("gone.png", "It does not load here"),
        ("wide.svg", "It loads: 1024 × 512."),
        ("high.svg", "Phones cut it to about 2:1"),
    ):
        await page.get_by_label("Picture", exact=True).fill(f"https://pictures.example/{name}")
        await expect(said).to_contain_text(words)
        missing = page.get_by_text("The picture does not load")
        await expect(missing).to_have_count(5 if name == "gone.png" else 0)
        assert await console.violations(page) == []
    await page.get_by_label("Picture", exact=True).fill("http://pictures.example/wide.svg")
    await expect(said).to_contain_text("must begin with https")
    assert not [url for url in asked if url.startswith("http:")]
    await page.context.close()


async def test_a_repeating_time_shows_its_next_five_and_what_it_needs(
    console: Console, token: str
) -> None:
    page = await window(console, token)
    await begin(page, "Weekly")
    await expect(page.get_by_label("Day and time")).to_be_hidden()
    await page.get_by_role("radio", name="Again and again").check()
    await page.get_by_label("Day and time").fill("2026-03-05T09:00")
    await page.get_by_label("Repeats").select_option("weekly")
    await page.get_by_role("checkbox", name="Thursday").check()
    await page.get_by_label("Time zone").fill("America/New_York")
    times = page.get_by_role("region", name="When it launches").get_by_role("listitem")
    await expect(times).to_have_count(5)
    await expect(times.first).to_contain_text("09:00 EST (5 Mar 2026, 15:00 CET for you)")
    assert await console.violations(page) == []
    await page.context.close()
