"""Rules and audiences on the wire. A rule that is taken in is checked by
`audiences/rule_parser.py`, which knows all that can be wrong with it; here it is described."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from clarion.audiences.query import Reach
from clarion.audiences.saved import commands
from clarion.audiences.saved.audience import dump_rule
from clarion.audiences.saved.queries import AudienceView, Explained
from clarion.clock import Moment
from clarion.faults import Fault

Scalar = str | int | float | bool | None
Rules = Annotated[
    list[dict[str, Any]],
    msgspec.Meta(description="Further rules, each as this one.", min_length=1),
]
Conditions = Annotated[
    list[dict[str, Any]],
    msgspec.Meta(description="Each with `field` or `property`, `test`, `value` and `zone`."),
]


class Rule(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whom it is for: one object with exactly one of `everyone`, `user_ids`, `traits`, `all`,
    `any`, `none`, `trait`, `device`, `event`, `campaign`, `audience` and `percent`, and with what
    goes with that. The guide to audiences tells all of it."""

    everyone: bool | msgspec.UnsetType = msgspec.UNSET
    user_ids: list[str] | msgspec.UnsetType = msgspec.UNSET
    traits: dict[str, Scalar] | msgspec.UnsetType = msgspec.UNSET
    all: Rules | msgspec.UnsetType = msgspec.UNSET
    any: Rules | msgspec.UnsetType = msgspec.UNSET
    none: Rules | msgspec.UnsetType = msgspec.UNSET
    trait: str | list[str] | msgspec.UnsetType = msgspec.UNSET
    device: Conditions | msgspec.UnsetType = msgspec.UNSET
    event: str | msgspec.UnsetType = msgspec.UNSET
    campaign: UUID | msgspec.UnsetType = msgspec.UNSET
    audience: str | msgspec.UnsetType = msgspec.UNSET
    percent: float | msgspec.UnsetType = msgspec.UNSET
    test: str | msgspec.UnsetType = msgspec.UNSET
    value: Any | msgspec.UnsetType = msgspec.UNSET
    zone: str | msgspec.UnsetType = msgspec.UNSET
    count: int | msgspec.UnsetType = msgspec.UNSET
    last_days: int | msgspec.UnsetType = msgspec.UNSET
    since: str | msgspec.UnsetType = msgspec.UNSET
    until: str | msgspec.UnsetType = msgspec.UNSET
    where: Conditions | msgspec.UnsetType = msgspec.UNSET
    salt: str | msgspec.UnsetType = msgspec.UNSET


class NewAudience(msgspec.Struct, kw_only=True):
    """An audience to save. `rule` null: a static list, which user ids are uploaded to."""

    code: str
    name: str
    rule: Rule | None


class AudienceChange(msgspec.Struct, kw_only=True):
    """What is to be another; the rule is replaced whole."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    rule: Rule | msgspec.UnsetType = msgspec.UNSET


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """A saved audience. `rule` null: a static list, with so many `members`. `owner`: who made it,
    as they were called then."""

    code: str
    name: str
    owner: str
    rule: dict[str, Any] | None
    members: int | None
    created_at: Moment
    updated_at: Moment
    archived_at: Moment | None


class AudienceCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many are in it now, with devices or without; `reach`: those that have active ones, and
    what of them would be skipped."""

    customers: int
    reach: Reach


class CountedRule(msgspec.Struct, kw_only=True):
    """A rule that need not be saved."""

    rule: Rule


class SampledRule(msgspec.Struct, kw_only=True):
    """A rule that need not be saved, and of how many it reaches some are asked for."""

    rule: Rule
    limit: int = 10


class ExplainedRule(msgspec.Struct, kw_only=True):
    """A rule that need not be saved, and the user id or id of a customer."""

    rule: Rule
    customer: str


class MembersFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A file of user ids, as text: one a line, CSV with a column `user_id`, or NDJSON. `replace`:
    they take the place of those on the list."""

    file: str
    replace: bool = False


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `unmatched`: ids that no customer signs in with yet; they are on the list
    and count from when one does. `unmatched_ids`: the first of them; `faults`: lines without an
    id."""

    rows: int
    members: int
    unmatched: int
    unmatched_ids: list[str]
    faults: list[Fault]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One condition: whether it `holds`, and what is `known` of the customer there. Of `all`, `any`
    and `none`: the `parts`."""

    condition: Any
    holds: bool
    known: Any
    parts: list["Explanation"]


class CustomerExplained(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a customer is in an audience, condition by condition."""

    customer_id: UUID
    user_id: str | None
    is_in: bool
    explanation: Explanation


def shown_audience(view: AudienceView) -> Audience:
    """An audience as the API tells it."""
    audience = view.audience
    return Audience(
        code=audience.code,
        name=audience.name,
        owner=audience.owner,
        rule=dump_rule(audience.rule),
        members=view.members,
        created_at=audience.created_at,
        updated_at=audience.updated_at,
        archived_at=audience.archived_at,
    )


def shown_upload(upload: commands.Upload) -> Upload:
    return msgspec.convert(upload, Upload, from_attributes=True)


def shown_explained(explained: Explained) -> CustomerExplained:
    """An explanation as the API tells it."""
    return CustomerExplained(
        customer_id=explained.customer_id,
        user_id=explained.user_id,
        is_in=explained.explanation.holds,
        explanation=msgspec.convert(explained.explanation, Explanation, from_attributes=True),
    )
