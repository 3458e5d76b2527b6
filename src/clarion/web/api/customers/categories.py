"""/customers/…/categories: which kinds of campaigns a customer wants."""

from typing import Annotated

import msgspec
from litestar import Controller, get, put
from litestar.params import PathParameter

from clarion.customers.commands import choose_category
from clarion.customers.queries import list_categories
from clarion.web.api.bodies import read
from clarion.web.api.customers.customers import UserId
from clarion.web.api.gate import BODY, MAY_CONFLICT, Call, GivenCaller, GivenParts
from clarion.web.api.pages import Page, whole

CategoryCode = Annotated[
    str, PathParameter(description="The category, as campaigns name it, such as `news`.")
]


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a customer gets campaigns of a category."""

    category: str
    subscribed: bool


class CategoryWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`subscribed` false: no campaigns of this category from now on."""

    subscribed: bool


class Categories(Controller):
    path = "/customers"
    tags = ("customers",)

    @get("/{user_id:str}/categories", summary="List a customer's categories")
    async def categories(
        self, parts: GivenParts, caller: GivenCaller, user_id: UserId
    ) -> Page[Category]:
        """The categories that anybody has said something of for this customer: by the trait
        `marketingPreferences`, or here. They get campaigns of all others. Always one page."""
        listed = await parts.ask(list_categories, caller, user_id)
        return whole(
            [
                Category(category=category, subscribed=is_subscribed)
                for category, is_subscribed in listed.items()
            ]
        )

    @put(
        "/{user_id:str}/categories/{category:str}",
        summary="Leave or rejoin a category",
        opt={BODY: CategoryWish, MAY_CONFLICT: True},
    )
    async def choose(
        self,
        request: Call,
        parts: GivenParts,
        caller: GivenCaller,
        user_id: UserId,
        category: CategoryCode,
    ) -> Category:
        """Says for a customer who signs in whether they want campaigns of this category. The last
        word counts, here or by the trait `marketingPreferences`."""
        wish = await read(request, CategoryWish)
        choice = await parts.do(
            choose_category, caller, user_id, category, is_subscribed=wish.subscribed
        )
        return Category(category=choice.category, subscribed=choice.is_subscribed)
