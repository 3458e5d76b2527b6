"""The console on a real socket, with a browser before it and, if wanted, a workspace full of
things."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, Page

from clarion.accounts.actor import Role, operator
from clarion.accounts.people.commands import NewInvitation, invite
from clarion.accounts.people.password_reset import offer_password_reset
from clarion.accounts.people.passwords import PasswordHasher
from clarion.accounts.people.session import Place
from clarion.accounts.people.signing_in import SignedIn, accept_invitation
from clarion.faults import Rejected
from clarion.web.server import WebServer, bind
from support import npm
from support.api import CHEAP, Service, service_on_sqlite
from support.book import SOURCE, WORKSPACE
from support.chromium import CLIENTS, chromium, unpack
from support.clock import FakeClock
from support.patience import PATIENCE
from support.people import PASSWORD

WIDTH, HEIGHT = 1280, 860
PHONE = 390
LONG = "Ein besonders ausführlich benannter Donaudampfschifffahrtsgesellschaftskapitän " * 2
ARABIC = "عرض الربيع للعملاء الدائمين"
MARKUP = "<script>document.title='owned'</script><b>bold</b>"
AXE = """async (tags) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return found.violations.map((one) =>
    `${one.id}: ${one.help}: ` + one.nodes.map((node) => node.html.slice(0, 160)).join(" | "));
}"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Serving:
    """A service on a socket, which is stopped and started again at the same address."""

    service: Service
    port: int = 0

    async def start(self) -> None:
        listener = bind("127.0.0.1", self.port)
        self.port = listener.getsockname()[1]
        self._server = WebServer(self.service.app, listener)
        self._task = asyncio.create_task(self._server.run())
        await self._server.started()

    async def stop(self) -> None:
        self._server.stop()
        await self._task


@dataclass
class Console:
    """One server, one browser. `origin`: where pages are."""

    service: Service
    browser: Browser
    serving: Serving
    axe: str

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.serving.port}"

    @property
    def clock(self) -> FakeClock:
        return self.service.clock

    async def visitor(
        self,
        *,
        width: int = WIDTH,
        javascript: bool = True,
        scheme: Any = "light",
        locale: str = "en-GB",
        zone: str = "Europe/Berlin",
    ) -> Page:
        """A browser window of its own, where nobody is signed in."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            java_script_enabled=javascript,
            color_scheme=scheme,
            locale=locale,
            timezone_id=zone,
            base_url=self.origin,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE * 1_000)
        return await context.new_page()

    async def invite(self, role: Role = Role.ADMIN, email: str | None = None) -> str:
        """The path of an invitation's link."""
        made = await invite(self.service.services, operator(WORKSPACE), role, email)
        assert isinstance(made, NewInvitation)
        return made.path

    async def password_reset(self) -> str:
        """The path of a link for another password, of somebody who has an account."""
        await self.member(Role.VIEWER, "Forgetful")
        people = (await self.service.get("/people"))["data"]
        person = next(person for person in people if person["name"] == "Forgetful")
        made = await offer_password_reset(
            self.service.services, operator(WORKSPACE), UUID(person["id"])
        )
        assert not isinstance(made, Rejected)
        return made.path

    async def member(self, role: Role, name: str) -> str:
        """Somebody with an account; the token of a session of theirs."""
        email = f"{name.lower()}@example.com"
        made = await invite(self.service.services, operator(WORKSPACE), role, email)
        assert isinstance(made, NewInvitation)
        begun = await accept_invitation(
            self.service.services,
            PasswordHasher(CHEAP),
            made.token,
            email=email,
            name=name,
            password=PASSWORD,
            place=Place(address="127.0.0.1", browser="a browser of tests"),
        )
        assert isinstance(begun, SignedIn)
        return begun.token

    async def let_in(self, context: BrowserContext, token: str) -> None:
        """Put a session's cookie into a browser window."""
        await context.add_cookies(
            [{"name": "clarion", "value": token, "url": f"{self.origin}/console/"}]
        )

    async def violations(self, page: Page) -> list[str]:
        """What axe finds wrong in a page."""
        await page.evaluate(self.axe)
        found: list[str] = await page.evaluate(AXE, TAGS)
        return found

    async def work(self) -> None:
        """Let every agent do what is due."""
        world = self.service.world
        await self.service.ingestor.step()
        await world.scheduler.step()
        while await world.planner.step():
            pass
        while await world.sender.step():
            pass
        await self.service.attributor.step()


@asynccontextmanager
async def open_console(directory: Path) -> AsyncIterator[Console]:
    """A new installation with one workspace, a source and a Firebase app, and nobody in it."""
    axe = (npm.installed(CLIENTS, then=unpack) / "axe-core" / "axe.min.js").read_text()
    async with service_on_sqlite(directory, FakeClock()) as service, chromium() as browser:
        serving = Serving(service)
        await serving.start()
        try:
            yield Console(service, browser, serving, axe)
        finally:
            await serving.stop()


async def fill(console: Console) -> dict[str, str]:
    """A workspace in which there is one of everything, some of it with names that are hard to show.
    Returns the paths of the screens of single things, by a word for each."""
    service, world = console.service, console.service.world
    await _people(service)
    paths: dict[str, str] = {}
    content = {
        "title": "{{ customer.first_name | default: 'Hello' }}, spring is here",
        "body": "Two days early, for you alone: twenty percent off all that grows or climbs.",
        "link": "https://shop.example/spring",
    }
    names = {
        "draft": "Spring sale",
        "hard": f"{MARKUP} {LONG}"[:200],
        "arabic": ARABIC,
        "scheduled": "Summer opening",
        "done": "Welcome back",
        "paused": "Weekend offer",
        "proposed": "To be approved",
    }
    for word, name in names.items():
        body = {"name": name, "content": content, "audience": {"everyone": True}}
        made = await service.post("/campaigns", body)
        paths[word] = f"/console/campaigns/{made['id']}"
        if word == "scheduled":
            await service.post(f"/campaigns/{made['id']}/schedule", {"at": "2026-04-01T08:00:00Z"})
        if word == "proposed":
            await service.post(f"/campaigns/{made['id']}/propose", {"at": "now"})
        if word == "done":
            await service.post(f"/campaigns/{made['id']}/schedule", {"at": "now"})
            await console.work()
            await world.settle(UUID(made["id"]))
        if word == "paused":
            await service.post(f"/campaigns/{made['id']}/schedule", {"at": "now"})
            await world.scheduler.step()
            await service.post(f"/campaigns/{made['id']}/pause")
    paths["repeating"], paths["full"] = await _more_campaigns(console, content)
    ada = await service.get("/customers/ada")
    paths["customer"] = f"/console/customers/{ada['id']}"
    paths["source"] = f"/console/sources/{SOURCE}"
    apps = await service.get("/firebase-apps")
    paths["app"] = f"/console/firebase-apps/{apps['data'][0]['id']}"
    rule = {"trait": "plan", "test": "equals", "value": "pro"}
    await service.post("/audiences", {"code": "pro", "name": "Pro customers", "rule": rule})
    paths["audience"] = "/console/audiences/pro"
    await service.post("/audiences", {"code": "hard", "name": LONG[:200], "rule": {"any": [rule]}})
    paths["hard-audience"] = "/console/audiences/hard"
    await service.post("/audiences", {"code": "testers", "name": ARABIC, "rule": None})
    paths["list"] = "/console/audiences/testers"
    hard = await service.post("/sources", {"name": f"{MARKUP} {LONG}"[:200]})
    paths["hard-source"] = f"/console/sources/{hard['id']}"
    paths["device"] = "/console/devices?id=device-0"
    paths["event"] = "/console/events?id=v0"
    done = paths["done"].rpartition("/")[2]
    paths["why"] = f"{paths['customer']}?why={done}"
    return paths


async def _more_campaigns(console: Console, content: dict[str, Any]) -> tuple[str, str]:
    """One that repeats and has launched, with opens; and a draft that says all that can be said."""
    service = console.service
    goal = {"event": "Order Completed", "within_hours": 48}
    body = {
        "name": "Every morning, to who has ordered nothing for long",
        "content": content,
        "audience": {"everyone": True},
        "conversion": goal,
    }
    made = await service.post("/campaigns", body)
    repeating = f"/console/campaigns/{made['id']}"
    at = {"at": "2026-03-01T12:00", "zone": "UTC", "repeat": {"rule": "daily"}}
    await service.post(f"/campaigns/{made['id']}/schedule", at)
    for _ in range(3):
        await console.work()
    texts = {
        "title": "Guten Morgen {{ customer.first_name | default: 'du' }}, " + LONG,
        "body": LONG * 3,
    }
    full = content | {
        "buttons": [{"title": "Open the shop", "link": "https://shop.example"}, {"title": "Later"}],
        "platforms": {"Android": {"channel": "news"}, "Web": {"title": "Spring on the web"}},
        "languages": {
            "de": texts | {"buttons": [{"title": "Zum Laden"}, {"title": "Später"}]},
            "de-AT": {"title": "Servus"},
            "ar": {"title": ARABIC, "body": f"{ARABIC} 🌷🌷 " * 8},
        },
    }
    timing = {
        "at": "2026-03-05T09:00",
        "zone": "America/New_York",
        "repeat": {"rule": "FREQ=WEEKLY;BYDAY=MO,TH", "except": ["2026-03-09"]},
    }
    draft = await service.post(
        "/campaigns",
        body | {"name": f"🌷 {LONG}"[:200], "content": full, "category": "news", "timing": timing},
    )
    return repeating, f"/console/campaigns/{draft['id']}"


async def _people(service: Service) -> None:
    """Twelve customers of this shop: most can be reached, each other for its own reason not."""
    sources = (await service.get("/sources"))["data"]
    key = next(source["write_key"] for source in sources if source["id"] == str(SOURCE))
    known = ["Ada", "Grace", "Linus", "Margaret", "Alan", "Katherine", "Edsger", "Barbara", MARKUP]
    events: list[dict[str, Any]] = []
    kinds = ["ok", "ok", "ok", "dead", "ok", "bad", "ok", "ok", "ok"]
    platforms = ["iOS", "Android", "Web"]
    for number, (name, kind) in enumerate(zip(known, kinds, strict=True)):
        user = "ada" if name == "Ada" else f"user-{4700 + number}"
        traits = {"first_name": name, "plan": "pro" if number % 2 else "free", "orders": number}
        events += [
            {"type": "identify", "messageId": f"i{number}", "userId": user, "traits": traits},
            {
                "type": "track",
                "event": "Register Push",
                "messageId": f"r{number}",
                "userId": user,
                "properties": {
                    "deviceId": f"device-{number}",
                    "fcmToken": f"{kind}-{number}",
                    "deviceType": platforms[number % 3],
                },
            },
            {
                "type": "track",
                "event": "Product Viewed",
                "messageId": f"v{number}",
                "userId": user,
                "properties": {"product": "Rose", "price": 12.5},
            },
        ]
    events.append({"type": "track", "messageId": "wrong", "userId": "ada"})
    long_name = {"first_name": "Maximiliane" * 27, "plan": ARABIC}
    events.append({"type": "identify", "messageId": "l", "userId": "u" * 300, "traits": long_name})
    await service.try_to_send(key, *events)
