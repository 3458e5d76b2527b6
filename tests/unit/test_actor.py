"""What scopes and roles allow."""

from itertools import pairwise

import pytest

from clarion.accounts.actor import (
    Permission,
    Role,
    Scope,
    operator,
    permissions_of_role,
    permissions_of_scopes,
    role_with,
    system,
)
from clarion.accounts.command import forbidden
from support.book import WORKSPACE

READ, WRITE, PUBLISH, ADMIN = Permission


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ([], set()),
        (["read"], {READ}),
        (["author"], {READ, WRITE}),
        (["write"], {READ, WRITE, PUBLISH}),
        (["read", "write"], {READ, WRITE, PUBLISH}),
        (["admin"], {READ, WRITE, PUBLISH, ADMIN}),
        (["of a later version"], set()),
        (["of a later version", "read"], {READ}),
    ],
)
def test_what_the_scopes_of_a_key_allow(scopes: list[str], allowed: set[Permission]) -> None:
    assert permissions_of_scopes(scopes) == allowed


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, {READ}),
        (Role.AUTHOR, {READ, WRITE}),
        (Role.PUBLISHER, {READ, WRITE, PUBLISH}),
        (Role.ADMIN, {READ, WRITE, PUBLISH, ADMIN}),
    ],
)
def test_what_a_role_allows(role: Role, allowed: set[Permission]) -> None:
    assert permissions_of_role(role) == allowed


def test_every_scope_and_role_includes_those_before_it() -> None:
    scopes = [permissions_of_scopes([scope]) for scope in Scope]
    roles = [permissions_of_role(role) for role in Role]
    for order in (scopes, roles):
        assert all(less < more for less, more in pairwise(order))


def test_the_operator_and_the_system_may_do_everything() -> None:
    for actor in (operator(WORKSPACE), system(WORKSPACE)):
        assert all(actor.may(permission) for permission in Permission)


def test_a_refusal_names_the_least_role_and_scope_that_may() -> None:
    assert [role_with(permission) for permission in Permission] == [
        Role.VIEWER,
        Role.AUTHOR,
        Role.PUBLISHER,
        Role.ADMIN,
    ]
    assert forbidden(Permission.PUBLISH).message == (
        "This needs the permission publish: people have it from the role publisher on, "
        "API keys by the scope write."
    )
