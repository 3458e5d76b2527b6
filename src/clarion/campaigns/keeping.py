"""A campaign is copied, taken out of the list, or deleted. Pure."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from clarion.campaigns.campaign import Campaign, CampaignState, DefinitionState, refused
from clarion.campaigns.launches.launch import FINAL
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
        return refused(campaign, "archived", f": {_way_out(campaign)} first")
    return campaign if campaign.archived_at else replace(campaign, archived_at=now, changed_at=now)


def restore(campaign: Campaign, now: datetime) -> Campaign:
    """Puts it back into the list."""
    return replace(campaign, archived_at=None, changed_at=now) if campaign.archived_at else campaign


def check_deletion(campaign: Campaign) -> Rejected | None:
    """Why a campaign can not be deleted: what has launched has an account."""
    if campaign.definition is DefinitionState.DRAFT and campaign.launch is None:
        return None
    if campaign.state in _ARCHIVABLE:
        cure = "what has launched, or was cancelled, can be archived"
    else:
        cure = f"{_way_out(campaign)} first"
    return Rejected(
        "campaign_state", f"Only a draft that has never launched can be deleted: {cure}."
    )


def _way_out(campaign: Campaign) -> str:
    """What lets go of one that is to launch, or that does."""
    is_to_launch = campaign.definition in (DefinitionState.SCHEDULED, DefinitionState.PAUSED)
    goes_on = campaign.launch is not None and campaign.launch.state not in FINAL
    return "unschedule it" if is_to_launch and not goes_on else "cancel it"
