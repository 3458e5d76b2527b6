"""Contents that are tried out, on the wire. What is taken in is checked by
`campaigns/content_check/request.py`; the types of bodies here describe it."""

from typing import Annotated

import msgspec

from clarion.campaigns.content.surfaces import SurfaceMeters
from clarion.campaigns.content_check import content_preview
from clarion.campaigns.content_check.content_preview import TriedFault
from clarion.campaigns.content_check.request import SAMPLE_MAX, SeenBy
from clarion.campaigns.content_check.sample import FindingKind
from clarion.campaigns.preview import CampaignWarning
from clarion.customers.devices.device import Platform
from clarion.web.api.audiences.wire import Rule
from clarion.web.api.campaigns.wire import Content, Rendered
from clarion.web.api.customers.devices import Owner

SampleLimit = Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": SAMPLE_MAX})]


class ContentToShow(msgspec.Struct, kw_only=True):
    """A content that is not saved, and for whom it is shown: the customer `user_id` (or with that
    id); without one somebody random whom `audience` reaches (without one: with a device), or with
    `seen_by` nobody, somebody of whom nothing is known. `language`: in the place of theirs."""

    content: Content
    audience: Rule | msgspec.UnsetType | None = msgspec.UNSET
    user_id: str | msgspec.UnsetType | None = msgspec.UNSET
    seen_by: SeenBy | msgspec.UnsetType | None = msgspec.UNSET
    language: str | msgspec.UnsetType | None = msgspec.UNSET


class ContentToCheck(msgspec.Struct, kw_only=True):
    """A content that is not saved, and the audience of which `limit` devices are looked at."""

    content: Content
    audience: Rule | msgspec.UnsetType | None = msgspec.UNSET
    limit: SampleLimit | msgspec.UnsetType | None = msgspec.UNSET


class CampaignToCheck(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How many devices of the campaign's audience are looked at."""

    limit: SampleLimit | msgspec.UnsetType | None = msgspec.UNSET


class ShownOnPlatform(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform would show. `language`: the variant, null: the default. `bytes`: the push's
    size as it is counted, of `bytes_max` that FCM takes; on iOS it is that of the JSON document
    that Apple is sent. `surfaces`: how title and body fill each place where it is shown; their
    figures are about right, no more."""

    language: str | None
    content: Rendered
    bytes: int
    bytes_max: int
    surfaces: list[SurfaceMeters]


class ContentPreview(msgspec.Struct, frozen=True, kw_only=True):
    """`customer` null: somebody of whom nothing is known. `platforms` lacks those on which it can
    not be rendered; `faults` says why."""

    customer: Owner | None
    platforms: dict[str, ShownOnPlatform]
    faults: list[TriedFault]
    warnings: list[CampaignWarning]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong for some. `kind`: not_rendered (their push would be skipped), refused (FCM
    would not take it) or prints_nothing (it would have a gap); `customers`: of the sample, and
    `example` is one of them."""

    kind: FindingKind
    field: str
    line: int
    message: str
    customers: int
    example: Owner


class SampleCheck(msgspec.Struct, frozen=True, kw_only=True):
    """`customers` and `devices`: how many were looked at; `customers_fine`: those for whom nothing
    was found."""

    customers: int
    customers_fine: int
    devices: int
    findings: list[Finding]


class TestOfCampaign(msgspec.Struct, kw_only=True):
    """To whom a test goes: the customers `user_ids`, 20 at most; without them the test people, who
    are those in the saved audience `test-people`. `dry_run`: FCM only checks it, and no device
    hears of it."""

    user_ids: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    dry_run: bool | msgspec.UnsetType | None = msgspec.UNSET


class TestOfContent(TestOfCampaign, kw_only=True):
    """A content that is not saved, and to whom its test goes."""

    content: Content


class TestPush(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a test on one device. `outcome`: accepted (FCM took it, or with `dry_run`
    would), unregistered, rejected, throttled, unavailable, misconfigured or skipped; `reason` and
    `detail` say why. `language`: the variant, null: the default."""

    device_id: str
    user_id: str | None
    platform: Platform
    language: str | None
    outcome: str
    reason: str | None
    detail: str | None


class TestSend(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a test on each device."""

    dry_run: bool
    pushes: list[TestPush]


def shown_content_preview(preview: content_preview.ContentPreview) -> ContentPreview:
    """A preview as the API tells it."""
    return msgspec.convert(preview, ContentPreview, from_attributes=True)
