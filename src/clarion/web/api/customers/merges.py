"""Two customers whom an administrator says are one, and the same taken back."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post

from clarion.accounts.actor import Scope
from clarion.clock import Moment
from clarion.customers.commands import merge_customers, unmerge_customer
from clarion.customers.identity.merges import store as merge_store
from clarion.customers.queries import list_merges
from clarion.web.api.bodies import read
from clarion.web.api.customers.customers import UserId
from clarion.web.api.gate import BODY, MAY_CONFLICT, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_id, page
from clarion.web.api.shown import shown


class NewMerge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user id that the customer is to count as."""

    into: str


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """The user id `user_id` counts as `into` since `made_at`, until `undone_at`; `made_by` and
    `undone_by`: an API key's id, or the command line."""

    id: UUID
    user_id: str
    into: str
    made_at: Moment
    made_by: str
    undone_at: Moment | None
    undone_by: str | None


class ListOfMerges(Controller):
    path = "/merges"
    tags = ("customers",)

    @get("", summary="List merges")
    async def merges(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[Merge]:
        """Every merge, the oldest first, those that were undone too."""
        merges = await parts.ask(list_merges, caller, after=after_id(cursor), limit=limit + 1)
        return page(merges, limit, _shown, lambda merge: merge.id.bytes)


class Merges(Controller):
    path = "/customers"
    tags = ("customers",)

    @post(
        "/{user_id:str}/merge",
        summary="Merge a customer into another",
        opt={BODY: NewMerge, NEEDS: Scope.ADMIN, MAY_CONFLICT: True},
    )
    async def merge(
        self, request: Call, parts: GivenParts, caller: GivenCaller, user_id: UserId
    ) -> Merge:
        """From now on, and for all that was, this user id counts as the other one: events, traits
        and devices are the other customer's, and so is whatever comes later or late. It can be
        undone as if it had never been."""
        into = (await read(request, NewMerge)).into.strip()
        return _shown(await parts.do(merge_customers, caller, user_id, into))

    @post(
        "/{user_id:str}/unmerge",
        summary="Undo a customer's merge",
        status_code=200,
        opt={NEEDS: Scope.ADMIN},
    )
    async def unmerge(self, parts: GivenParts, caller: GivenCaller, user_id: UserId) -> Merge:
        """This user id is a customer of its own again, with everything that is its own."""
        return _shown(await parts.do(unmerge_customer, caller, user_id))


def _shown(merge: merge_store.Merge) -> Merge:
    return shown(merge, Merge, user_id=merge.from_user, into=merge.into_user)
