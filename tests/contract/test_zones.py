"""In which zone a customer is, on both databases."""

from clarion.customers.identity.identifier import User, customer_id_of
from clarion.customers.profile.zone_store import zones_of
from clarion.events.messages.message import Event
from clarion.storage.database import Database
from support.book import WORKSPACE
from support.clock import FakeClock
from support.world import World

VIENNA, TOKYO, DUBAI = "Europe/Vienna", "Asia/Tokyo", "Asia/Dubai"


async def test_the_zone_is_the_latest_devices_or_the_traits_or_the_fallback(
    database: Database, clock: FakeClock
) -> None:
    world = await World(database, clock).open()
    app = world.app

    def register(at: float, user: str, device: str, zone: str | None) -> Event:
        context = {} if zone is None else {"timezone": zone}
        return app.register(at, device, user=user, token=f"t-{device}", context=context)

    await world.take(
        register(0, "moved", "old", VIENNA),
        register(200, "moved", "new", TOKYO),
        register(0, "silent", "phone", TOKYO),
        register(200, "silent", "tablet", None),  # seen later, and says none
        register(200, "odd", "watch", "GMT+2"),
        register(100, "odd", "phone-2", VIENNA),
        register(0, "told", "phone-3", None),
        app.identify(1, "told", traits={"timezone": DUBAI}),
        register(0, "both", "phone-4", TOKYO),
        app.identify(1, "both", traits={"timezone": DUBAI}),
        app.identify(1, "number", traits={"timezone": 2}),
        app.identify(1, "none"),
    )  # fmt: skip
    names = ("moved", "silent", "odd", "told", "both", "number", "none", "nobody")
    ids = {name: customer_id_of(WORKSPACE, User(name)) for name in names}
    async with database.read() as connection:
        zones = await zones_of(
            connection, WORKSPACE, list(ids.values()), fallback="America/New_York"
        )
    assert {name: zones[ids[name]] for name in names} == {
        "moved": TOKYO,
        "silent": TOKYO,
        "odd": VIENNA,
        "told": DUBAI,
        "both": TOKYO,
        "number": "America/New_York",
        "none": "America/New_York",
        "nobody": "America/New_York",
    }
