"""Every screen, full of things that are hard to show: accessible in light and dark, no wider than
a small phone, quiet in the browser's own log, and light."""

import gzip

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page

from clarion.accounts.actor import Role
from clarion.web.console.static_files import FILES, packed
from console.screens import SIGNED_OUT, screens_of
from support.console import Console, fill

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("console screens")]

NARROW = 320
JS_BYTES_MAX, CSS_BYTES_MAX, PAGE_BYTES_MAX = 25_000, 15_000, 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def screens(console: Console) -> dict[str, str]:
    """A word for each screen of a full workspace, and its path."""
    return screens_of(await fill(console))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(console: Console, screens: dict[str, str]) -> str:
    return await console.member(Role.ADMIN, "Eva")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_wrong_on_any_screen(
    console: Console, screens: dict[str, str], token: str, scheme: str
) -> None:
    page = await console.visitor(scheme=scheme)
    said = listen(page)
    wrong: dict[str, list[str]] = {}
    for word, path in SIGNED_OUT.items():
        await page.goto(path)
        wrong[word] = await console.violations(page)
    await console.let_in(page.context, token)
    for word, path in screens.items():
        await page.goto(path)
        wrong[word] = await console.violations(page)
        assert await page.title() != "owned", word
    assert {word: found for word, found in wrong.items() if found} == {}
    assert said == []
    await page.context.close()


async def test_no_screen_is_wider_than_a_small_phone(
    console: Console, screens: dict[str, str], token: str
) -> None:
    page = await console.visitor(width=NARROW)
    await console.let_in(page.context, token)
    wide = {}
    for word, path in (SIGNED_OUT | screens).items():
        await page.goto(path)
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW:
            wide[word] = width
    assert wide == {}
    await page.context.close()


async def test_pages_and_what_they_are_made_of_are_light(
    console: Console, screens: dict[str, str], token: str
) -> None:
    scripts = sum(len(packed(name)) for name in FILES if name.endswith(".js"))
    styles = sum(len(packed(name)) for name in FILES if name.endswith(".css"))
    assert (scripts <= JS_BYTES_MAX, styles <= CSS_BYTES_MAX) == (True, True)
    async with httpx.AsyncClient(base_url=console.origin, cookies={"clarion": token}) as client:
        for word, path in screens.items():
            answer = await client.get(path, headers={"Accept": "text/html"})
            assert len(gzip.compress(answer.content)) <= PAGE_BYTES_MAX, word


def listen(page: Page) -> list[str]:
    """What the browser complains of: a policy that was broken, a script that failed."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda message: (
            said.append(message.text)
            if message.type in ("error", "warning") and "404" not in message.text
            else None
        ),
    )
    return said
