"""What a customer may ask of us: to be left alone, to be forgotten, to be told what is known."""

import msgspec
from litestar import Controller, delete, get, post
from litestar.response import Stream

from clarion.accounts.actor import Scope
from clarion.privacy.commands import begin_export, erase, suppress, unsuppress
from clarion.privacy.data_export import open_dossier
from clarion.privacy.eraser import Eraser
from clarion.web.api.customers.customers import UserId
from clarion.web.api.gate import MEDIA, NEEDS, GivenCaller, GivenParts
from clarion.web.api.shown import shown

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
    async def export(self, parts: GivenParts, caller: GivenCaller, user_id: UserId) -> Stream:
        """Everything that is known of them, as a zip of JSON files with a README: profile, devices,
        events, history, deliveries."""
        customer = await parts.do(begin_export, caller, user_id)
        now = parts.clock.now()
        zipped = await open_dossier(parts.database, caller.workspace_id, customer, now)
        headers = {"Content-Disposition": 'attachment; filename="customer.zip"'}
        return Stream(zipped, media_type=ZIP, headers=headers)

    @post(
        "/{user_id:str}/suppress",
        summary="Suppress a customer",
        status_code=204,
        opt={NEEDS: Scope.ADMIN},
    )
    async def suppress_customer(
        self, parts: GivenParts, caller: GivenCaller, user_id: UserId
    ) -> None:
        """Nothing more is collected of them and nothing sent to them; what is known is kept.
        Doing it twice is doing it once."""
        await parts.do(suppress, caller, user_id)

    @post(
        "/{user_id:str}/unsuppress",
        summary="Collect of a customer again",
        status_code=204,
        opt={NEEDS: Scope.ADMIN},
    )
    async def unsuppress_customer(
        self, parts: GivenParts, caller: GivenCaller, user_id: UserId
    ) -> None:
        """They are followed and reached again, from now on. For one who was erased too, by their
        user id: they are known again from what they do next."""
        await parts.do(unsuppress, caller, user_id)

    @delete("/{user_id:str}", summary="Erase a customer", status_code=200, opt={NEEDS: Scope.ADMIN})
    async def erase_customer(
        self, parts: GivenParts, caller: GivenCaller, user_id: UserId
    ) -> Erased:
        """Nothing is left of them in any table, job or log, and whatever of theirs comes later is
        dropped. Deliveries stay for the books, as nobody's. This can not be undone."""
        eraser = Eraser(parts.database, parts.broker, parts.clock)
        erased = await parts.do(erase, caller, user_id, eraser)
        return shown(erased, Erased)
