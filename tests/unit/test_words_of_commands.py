"""The command line loads no station to know its words: here they are held equal."""

from typing import get_args

import pytest

from clarion.accounts import actor
from clarion.accounts.workspace import STALE_DAYS_MAX
from clarion.cli.accounts import audit, keys, people, workspace
from clarion.cli.api import client
from clarion.cli.program import _GROUPS, _VERBS, commands
from clarion.cli.sources import firebase_apps
from clarion.deliveries.apps.commands import PAUSED_BY_PERSON
from clarion.web.api.pages import LIMIT_MAX


def test_scopes_roles_and_kinds_of_actors_are_those_of_the_accounts() -> None:
    assert list(keys.SCOPES) == list(actor.Scope)
    assert list(get_args(people.Role)) == list(actor.Role)
    assert list(audit.ACTOR_KINDS) == list(actor.ActorKind)


def test_a_pause_without_a_reason_has_the_same_one_everywhere() -> None:
    assert firebase_apps.PAUSED_BY_PERSON == PAUSED_BY_PERSON


def test_limits_are_those_of_the_api() -> None:
    assert workspace.STALE_DAYS_MAX == STALE_DAYS_MAX
    assert client.PAGE_MAX == LIMIT_MAX


WORDS = {name: words for name, (_, words) in _VERBS.items()} | {
    place.partition(".")[2]: words for place, words in _GROUPS.items()
}


@pytest.mark.parametrize("name", WORDS)
def test_the_overview_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    first, *_ = commands[name].help.split("\n\n")
    assert WORDS[name] == " ".join(first.split())
