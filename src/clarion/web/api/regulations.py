"""What a customer may ask of us: to be left alone, to be forgotten, to be told what is known."""

from tempfile import SpooledTemporaryFile

import msgspec
from litestar import Controller, delete, get, post
from litestar.response import Response

from clarion.accounts.actor import Scope
from clarion.customers.profile.store import find_customer
from clarion.privacy.data_export import write_dossier
from clarion.privacy.requests import Regulator
from clarion.web.api.customers import UserId, find
from clarion.web.api.errors import not_found
from clarion.web.api.gate import MEDIA, NEEDS, GivenCaller, GivenParts, Parts

MEMORY_BYTES_MAX = 8_388_608
"""Of a zip that is being made; a larger one goes by way of the disk."""
ZIP = "application/zip"


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of somebody. `deliveries` are kept for the books, as nobody's; `refusals` no
    longer show what was refused."""

    events: int
    deliveries: int
    refusals: int


class Regulations(Controller):
    path = "/customers"
    tags = ("customers",)

    @get("/{user_id:str}/export", summary="Export a customer", opt={NEEDS: Scope.ADMIN, MEDIA: ZIP})
    async def export(
        self, parts: GivenParts, caller: GivenCaller, user_id: UserId
    ) -> Response[bytes]:
        """Everything that is known of them, as a zip of JSON files with a README: profile, devices,
        events, history, deliveries."""
        async with parts.database.read() as connection:
            customer = await find(connection, caller, user_id)
        with SpooledTemporaryFile(max_size=MEMORY_BYTES_MAX) as file:
            now = parts.clock.now()
            await write_dossier(parts.database, caller.workspace_id, customer, file, now)
            file.seek(0)
            content = file.read()
        headers = {"Content-Disposition": 'attachment; filename="customer.zip"'}
        return Response(content, media_type=ZIP, headers=headers)

    @post(
        "/{user_id:str}/suppress",
        summary="Suppress a customer",
        status_code=204,
        opt={NEEDS: Scope.ADMIN},
    )
    async def suppress(self, parts: GivenParts, caller: GivenCaller, user_id: UserId) -> None:
        """Nothing more is collected of them and nothing sent to them; what is known is kept.
        Doing it twice is doing it once."""
        by = str(caller.id)
        if not await _regulator(parts).suppress(caller.workspace_id, user_id, by=by):
            raise not_found("customer")

    @post(
        "/{user_id:str}/unsuppress",
        summary="Collect of a customer again",
        status_code=204,
        opt={NEEDS: Scope.ADMIN},
    )
    async def unsuppress(self, parts: GivenParts, caller: GivenCaller, user_id: UserId) -> None:
        """They are followed and reached again, from now on. For one who was erased too, by their
        user id: they are known again from what they do next."""
        by = str(caller.id)
        if await _regulator(parts).unsuppress(caller.workspace_id, user_id, by=by):
            return
        async with parts.database.read() as connection:
            if await find_customer(connection, caller.workspace_id, user_id) is None:
                raise not_found("customer")

    @delete(
        "/{user_id:str}",
        summary="Erase a customer",
        status_code=200,
        opt={NEEDS: Scope.ADMIN},
    )
    async def erase(self, parts: GivenParts, caller: GivenCaller, user_id: UserId) -> Erased:
        """Nothing is left of them in any table, job or log, and whatever of theirs comes later is
        dropped. Deliveries stay for the books, as nobody's. This can not be undone."""
        by = str(caller.id)
        erased = await _regulator(parts).erase(caller.workspace_id, user_id, by=by)
        if erased is None:
            raise not_found("customer")
        return Erased(events=erased.events, deliveries=erased.deliveries, refusals=erased.refusals)


def _regulator(parts: Parts) -> Regulator:
    return Regulator(parts.database, parts.broker, parts.clock)
