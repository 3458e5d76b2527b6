"""Whether a launch that has settled all its pushes has failed: nobody got it, and not because of
the devices or of their people alone. Pure."""

from collections.abc import Mapping

from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.reasons import SKIPS

Counts = Mapping[tuple[str, str], int]
"""Deliveries by state and reason; the reason may be empty."""

NAMED_MAX = 3
_REFUSED = (DeliveryState.REJECTED.value, DeliveryState.EXPIRED.value)
_CURES = {
    (DeliveryState.SKIPPED.value, skip.value): meaning.remedy
    for skip, meaning in SKIPS.items()
    if meaning.is_mendable
}
"""What can be mended of what is skipped. All else that is skipped, or not registered any more, is
as it should be."""
_CURE = "mend what the reason names"


def failure_of(counts: Counts) -> str | None:
    """Why the launch has failed, with the cure; None: it has not, or there was nobody to send to.

    It has where no push was accepted, and at least one was refused, came to its end untaken, or
    was skipped for what can be mended.
    """
    if any(count for (state, _), count in counts.items() if state == DeliveryState.ACCEPTED):
        return None
    failing = {
        cause: count
        for cause, count in counts.items()
        if count > 0 and (cause[0] in _REFUSED or cause in _CURES)
    }
    if not failing:
        return None
    order = sorted(failing, key=lambda cause: (-failing[cause], cause))
    named = ", ".join(
        f"{failing[cause]} {cause[0]}" + (f" ({cause[1]})" if cause[1] else "")
        for cause in order[:NAMED_MAX]
    )
    more = len(order) - NAMED_MAX
    also = f" and {more} more reasons" if more > 0 else ""
    cure = _CURES.get(order[0], _CURE)
    return f"no push was accepted: {named}{also}: {cure}, then make the campaign anew"
