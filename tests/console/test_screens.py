"""Every screen, full of things that are hard to show: accessible in light and dark, no wider than
a small phone, quiet in the browser's own log, and light."""

import gzip
import re
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from clarion.accounts.actor import Role
from clarion.web.console.routes import page_routes
from clarion.web.console.static_files import FILES, packed
from console.screens import (
    ERRORS,
    SCREENS,
    open_screen,
    screens_of,
    send_form,
    signed_out_of,
)
from support.console import HEIGHT, WIDTH, Console, fill

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("console screens")]

NARROW = 320
JS_BYTES_MAX, CSS_BYTES_MAX, PAGE_BYTES_MAX = 25_000, 15_000, 60_000
WITHOUT_PAGE = {"/", "/console/static/{version:str}/{name:path}", "/console/{rest:path}"}
"""What is led on, what pages are made of, and whatever is no page."""
Wrong = dict[str, object]
"""A screen, its state and what is looked at → what is wrong with it."""


@dataclass
class Seen:
    """What a browser found on each screen. `said`: what it complained of itself."""

    axe: Wrong = field(default_factory=dict)
    wide: Wrong = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    """Of a full workspace."""
    token: str = ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(console: Console) -> Seen:
    """Every screen visited once in each state: empty, full, with an error; each looked at in light
    and dark, narrow, and from right to left."""
    seen = Seen(token=await console.member(Role.ADMIN, "Eva"))
    page = await console.visitor()
    seen.said = listen(page)
    for word, path in (await signed_out_of(console)).items():
        await page.goto(path)
        await look(console, page, seen, word)
    await console.let_in(page.context, seen.token)
    for word, path in SCREENS.items():
        await open_screen(page, path)
        await look(console, page, seen, f"{word}, empty")
    seen.paths = screens_of(await fill(console))
    for word, path in seen.paths.items():
        await open_screen(page, path)
        await look(console, page, seen, f"{word}, full")
        assert await page.title() != "owned", word
    for word, (path, posted, form) in ERRORS.items():
        await page.goto(path)
        if posted:
            await send_form(page, posted, form)
        await look(console, page, seen, f"{word}, error")
    await page.context.close()
    return seen


async def look(console: Console, page: Page, seen: Seen, word: str) -> None:
    """What is wrong with the page that is open."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        seen.axe[f"{word}, {scheme}"] = await console.violations(page)
    await page.set_viewport_size({"width": NARROW, "height": HEIGHT})
    for direction in ("ltr", "rtl"):
        width = await page.evaluate(
            """(direction) => {
              document.documentElement.dir = direction;
              return document.documentElement.scrollWidth;
            }""",
            direction,
        )
        seen.wide[f"{word}, {direction}"] = width if width > NARROW else None
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


async def test_axe_finds_nothing_wrong_on_any_screen(seen: Seen) -> None:
    assert {word: found for word, found in seen.axe.items() if found} == {}


async def test_no_screen_is_wider_than_a_small_phone(seen: Seen) -> None:
    assert {word: width for word, width in seen.wide.items() if width} == {}


async def test_the_browser_complains_of_nothing(seen: Seen) -> None:
    assert seen.said == []


async def test_every_page_of_the_console_is_among_the_screens(seen: Seen) -> None:
    paths = ["/console", *(path.partition("?")[0] for path in seen.paths.values())]
    paths += [path.partition("?")[0] for path, _, _ in ERRORS.values()]
    paths += ["/console/sign-in", "/console/invitations/x", "/console/password-resets/x"]
    pages = [
        route.path
        for route in page_routes().routes
        if "GET" in getattr(route, "methods", ()) and route.path not in WITHOUT_PAGE
        if not route.path.endswith(".csv")
    ]
    assert len(pages) > 30
    for page in pages:
        shape = re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(page)))
        assert any(shape.fullmatch(path) for path in paths), f"{page} has no case in screens.py"


async def test_a_condition_offers_what_it_asks_for_and_is_counted_as_one_types(
    console: Console, seen: Seen
) -> None:
    page = await console.visitor()
    await console.let_in(page.context, seen.token)
    await page.goto("/console/audiences/new")
    first = page.get_by_role("group", name="Condition 1")
    await expect(page.get_by_role("group", name="Condition 2")).to_be_hidden()
    await first.get_by_label("Its name").fill("plan")
    await first.get_by_label("Value").fill("pro")
    await expect(page.get_by_text("4 customers")).to_be_visible()
    await expect(page.get_by_role("group", name="Condition 2")).to_be_visible()
    await page.get_by_label("Is somebody in it?").fill("ada")
    await expect(page.get_by_text("is not in it")).to_be_visible()
    await first.get_by_label("What is asked").select_option("Event")
    await expect(first.get_by_label("Test")).to_have_value("did")
    await expect(first.get_by_label("Value")).to_be_hidden()
    await expect(first.get_by_label("last so many days")).to_be_visible()
    await page.context.close()


async def test_pages_and_what_they_are_made_of_are_light(console: Console, seen: Seen) -> None:
    scripts = sum(len(packed(name)) for name in FILES if name.endswith(".js"))
    styles = sum(len(packed(name)) for name in FILES if name.endswith(".css"))
    assert (scripts <= JS_BYTES_MAX, styles <= CSS_BYTES_MAX) == (True, True)
    cookies = {"clarion": seen.token}
    async with httpx.AsyncClient(base_url=console.origin, cookies=cookies) as client:
        for word, path in seen.paths.items():
            answer = await client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 200, word
            assert len(gzip.compress(answer.content)) <= PAGE_BYTES_MAX, word


async def test_every_page_marks_the_section_it_belongs_to(console: Console, seen: Seen) -> None:
    unmarked = []
    cookies = {"clarion": seen.token}
    async with httpx.AsyncClient(base_url=console.origin, cookies=cookies) as client:
        for word, path in seen.paths.items():
            page = (await client.get(path, headers={"Accept": "text/html"})).text
            sections = page.partition('<nav aria-label="Sections">')[2].partition("</nav>")[0]
            if 'aria-current="page"' not in sections:
                unmarked.append(word)
    assert unmarked == []


REFUSED = re.compile(r"status of (404|422)")
"""Of pages that are asked for in vain, as is wanted here."""


def listen(page: Page) -> list[str]:
    """What the browser complains of: a policy that was broken, a script that failed."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda message: (
            said.append(message.text)
            if message.type in ("error", "warning") and not REFUSED.search(message.text)
            else None
        ),
    )
    return said
