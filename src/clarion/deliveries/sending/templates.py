"""The parsed templates of what is being sent. Pure."""

from uuid import UUID

from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content.spec import ContentSpec
from clarion.campaigns.content.templates.template import Template

KEPT_MAX = 100


class Templates:
    """One for all chunks of a sender."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[ContentSpec, Template]] = {}

    def of(self, campaign: Campaign) -> Template | None:
        """The campaign's template; None where nothing depends on the customer."""
        kept = self._kept.get(campaign.id)
        # A push says what its campaign said when it was asked for, a later one what it says now.
        if kept is None or kept[0] != campaign.content:
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            kept = (campaign.content, Template(campaign.content))
            self._kept[campaign.id] = kept
        return kept[1] if kept[1].is_for_each else None
