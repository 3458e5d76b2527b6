"""A campaign is copied, taken out of the list, or deleted. Pure."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from clarion.campaigns.campaign import Campaign, CampaignState, DefinitionState, refused
from clarion.faults import Rejected

_ARCHIVABLE = (
    CampaignState.DRAFT,
    CampaignState.DONE,
    CampaignState.CANCELLED,
    CampaignState.FAILED,
)


def duplicate(
    campaign: Campaign, name: str | None, *, campaign_id: UUID, now: datetime
) -> Campaign:
    """A draft that says the same to the same people; `name`: or else as the campaign is called."""
    return replace(
        campaign,
        id=campaign_id,
        name=campaign.name if name is None else name,
        definition=DefinitionState.DRAFT,
        definition_reason=None,
        trigger=None,
        archived_at=None,
        code=None,
        launch=None,
        created_at=now,
        changed_at=now,
    )


def archive(campaign: Campaign, now: datetime) -> Campaign | Rejected:
    """Takes a draft, or what is over, out of the list. Archiving twice is archiving once."""
    if campaign.state not in _ARCHIVABLE:
        return refused(campaign, "archived")
    return campaign if campaign.archived_at else replace(campaign, archived_at=now, changed_at=now)


def restore(campaign: Campaign, now: datetime) -> Campaign:
    """Puts it back into the list."""
    return replace(campaign, archived_at=None, changed_at=now) if campaign.archived_at else campaign


def check_deletion(campaign: Campaign) -> Rejected | None:
    """Why a campaign can not be deleted: what has launched has an account."""
    if campaign.definition is DefinitionState.DRAFT and campaign.launch is None:
        return None
    return Rejected(
        "campaign_state",
        "Only a draft that has never launched can be deleted: unschedule it first, or archive it.",
    )
