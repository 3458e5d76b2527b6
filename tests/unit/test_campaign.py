"""The campaign's states: every step from every state, and any sequence of steps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.audiences.rule import Everyone, UserIds
from clarion.campaigns.campaign import (
    LATE_REASON,
    Campaign,
    CampaignState,
    DefinitionState,
    cancel,
    edit,
    is_late,
    launch,
    pause,
    resume,
    schedule,
)
from clarion.campaigns.content.spec import Content, ContentSpec
from clarion.campaigns.launches.launch import Launch, LaunchState, begin, fail, finish, planned
from clarion.campaigns.timing.trigger import Once
from clarion.faults import Rejected
from support.clock import START

S = CampaignState
LATER = START + timedelta(minutes=1)
Place = tuple[CampaignState, CampaignState | None]
"""A state, and for `paused` the one to go back to."""

SAID = ContentSpec(base=Content(title="Hello"))
SAID_ELSE = ContentSpec(base=Content(title="Goodbye"))


def of_its_launch(
    campaign: Campaign, step: Callable[[Launch], Launch | Rejected]
) -> Campaign | Rejected:
    """What agents do to a launch alone, as it is seen at its campaign."""
    if campaign.launch is None:
        return Rejected("campaign_state", f"no launch: {campaign.state.value}")
    after = step(campaign.launch)
    if isinstance(after, Rejected):
        assert campaign.launch.state.value in after.message
        return replace(after, message=campaign.state.value)
    return replace(campaign, launch=after)


STEPS: dict[str, Callable[[Campaign], Campaign | Rejected]] = {
    "edit": lambda one: edit(
        one,
        name="Else",
        content=SAID_ELSE,
        audience=UserIds(user_ids=("a",)),
        spread_minutes=30,
        conversion=None,
        category="news",
        is_transactional=False,
        now=LATER,
    ),
    "schedule": lambda one: schedule(one, LATER, LATER),
    "launch": lambda one: launch(one, LATER),
    "planned": lambda one: of_its_launch(one, lambda launch: planned(launch, LATER)),
    "finish": lambda one: of_its_launch(one, lambda launch: finish(launch, LATER)),
    "fail": lambda one: of_its_launch(one, lambda launch: fail(launch, LATER, "no room")),
    "pause": lambda one: pause(one, LATER),
    "resume": lambda one: resume(one, LATER),
    "cancel": lambda one: cancel(one, LATER),
}

DRAFT: Place = (S.DRAFT, None)
SCHEDULED: Place = (S.SCHEDULED, None)
LAUNCHING: Place = (S.LAUNCHING, None)
SENDING: Place = (S.SENDING, None)
DONE: Place = (S.DONE, None)
CANCELLED: Place = (S.CANCELLED, None)
FAILED: Place = (S.FAILED, None)
PAUSED_SCHEDULED: Place = (S.PAUSED, S.SCHEDULED)
PAUSED_LAUNCHING: Place = (S.PAUSED, S.LAUNCHING)
PAUSED_SENDING: Place = (S.PAUSED, S.SENDING)
PLACES = (
    DRAFT, SCHEDULED, LAUNCHING, SENDING, DONE, CANCELLED, FAILED, PAUSED_SCHEDULED,
    PAUSED_LAUNCHING, PAUSED_SENDING,
)  # fmt: skip

DIAGRAM: dict[tuple[Place, str], Place] = {
    (DRAFT, "edit"): DRAFT,
    (DRAFT, "schedule"): SCHEDULED,
    (SCHEDULED, "schedule"): SCHEDULED,
    (SCHEDULED, "launch"): LAUNCHING,
    (LAUNCHING, "planned"): SENDING,
    (PAUSED_LAUNCHING, "planned"): PAUSED_SENDING,
    (SENDING, "finish"): DONE,
    (PAUSED_SENDING, "finish"): DONE,
    (SCHEDULED, "pause"): PAUSED_SCHEDULED,
    (LAUNCHING, "pause"): PAUSED_LAUNCHING,
    (SENDING, "pause"): PAUSED_SENDING,
    (PAUSED_SCHEDULED, "resume"): SCHEDULED,
    (PAUSED_LAUNCHING, "resume"): LAUNCHING,
    (PAUSED_SENDING, "resume"): SENDING,
    **{(place, "cancel"): CANCELLED for place in PLACES if place not in (DONE, FAILED)},
    **{(place, "fail"): FAILED for place in (LAUNCHING, SENDING, PAUSED_LAUNCHING, PAUSED_SENDING)},
}
"""The diagrams of `campaign.py` and `launch.py`; whatever is not here is refused."""
IN_LAUNCH = {
    S.LAUNCHING: LaunchState.PLANNING,
    S.SENDING: LaunchState.SENDING,
    S.DONE: LaunchState.DONE,
    S.FAILED: LaunchState.FAILED,
    S.PAUSED: LaunchState.PAUSED,
}


def campaign_at(place: Place) -> Campaign:
    state, paused_from = place
    has_launch = state in IN_LAUNCH and paused_from is not S.SCHEDULED
    reason = "by a person" if paused_from else None
    launch = begin(UUID(int=1), UUID(int=2), "1", START, START)
    if has_launch:
        launch = replace(
            launch,
            state=IN_LAUNCH[state],
            paused_from=IN_LAUNCH[paused_from] if paused_from else None,
            reason="no room" if state is S.FAILED else reason,
        )
    return Campaign(
        id=UUID(int=1),
        workspace_id=UUID(int=2),
        name="Test",
        definition=DefinitionState.ENDED if has_launch else DefinitionState(state.value),
        definition_reason=None if has_launch else reason,
        content=SAID,
        audience=Everyone(),
        trigger=None if state is S.DRAFT else Once(START),
        launch=launch if has_launch else None,
        created_at=START,
        changed_at=START,
    )


def place_of(campaign: Campaign) -> Place:
    return campaign.state, campaign.paused_from


@pytest.mark.parametrize("place", PLACES, ids=lambda place: "_from_".join(filter(None, place)))
@pytest.mark.parametrize("name", STEPS)
def test_each_step_leads_where_the_diagram_says_and_nowhere_else(place: Place, name: str) -> None:
    before = campaign_at(place)
    after = STEPS[name](before)
    wanted = DIAGRAM.get((place, name))
    if wanted is None:
        assert isinstance(after, Rejected)
        assert after.code == "campaign_state"
        assert before.state.value in after.message
    else:
        assert isinstance(after, Campaign)
        assert place_of(after) == wanted


@pytest.mark.parametrize(("place", "name"), DIAGRAM)
def test_a_step_changes_nothing_that_is_not_its_own(place: Place, name: str) -> None:
    before = campaign_at(place)
    after = STEPS[name](before)
    assert isinstance(after, Campaign)
    own = {"definition", "definition_reason", "changed_at", "launch"}
    own |= {
        "schedule": {"trigger"},
        "edit": {"name", "content", "audience", "spread_minutes", "category"},
        # Its time has passed meanwhile: a person says that it launches now.
        "resume": {"trigger"} if place == PAUSED_SCHEDULED else set(),
    }.get(name, set())
    assert replace(before, **{field: getattr(after, field) for field in own}) == after
    assert after.updated_at == (START if place == CANCELLED else LATER)


@given(st.lists(st.sampled_from(list(STEPS))))
def test_no_sequence_of_steps_leaves_the_diagram(names: list[str]) -> None:
    campaign = campaign_at(DRAFT)
    for name in names:
        before = place_of(campaign)
        after = STEPS[name](campaign)
        if isinstance(after, Rejected):
            assert (before, name) not in DIAGRAM
            continue
        assert place_of(after) == DIAGRAM[before, name]
        assert (after.state is S.PAUSED) == (after.paused_from is not None)
        assert (after.state in (S.PAUSED, S.FAILED)) == (after.paused_reason is not None)
        assert after.state is S.DRAFT or after.scheduled_at or after.state is S.CANCELLED
        if before in (DONE, CANCELLED, FAILED):
            assert after == campaign
        campaign = after


@given(st.lists(st.sampled_from(["pause", "resume"])))
def test_pausing_and_resuming_alone_lead_back(names: list[str]) -> None:
    for place in (SCHEDULED, LAUNCHING, SENDING):
        campaign = campaign_at(place)
        for name in names:
            after = STEPS[name](campaign)
            campaign = campaign if isinstance(after, Rejected) else after
        resumed = resume(campaign, LATER)
        assert place_of(campaign if isinstance(resumed, Rejected) else resumed) == place


def test_who_or_what_paused_it_is_kept_until_it_is_resumed() -> None:
    paused = pause(campaign_at(SENDING), LATER, "too many removals")
    assert isinstance(paused, Campaign)
    assert paused.paused_reason == "too many removals"
    resumed = resume(paused, LATER)
    assert isinstance(resumed, Campaign)
    assert resumed.paused_reason is None


def test_cancelling_twice_is_once() -> None:
    once = cancel(campaign_at(PAUSED_SENDING), START)
    assert isinstance(once, Campaign)
    assert cancel(once, LATER) == once


HOUR = timedelta(hours=1)


def late() -> Campaign:
    """Its time passed while nothing ran."""
    paused = launch(campaign_at(SCHEDULED), START + HOUR + timedelta(seconds=1), HOUR)
    assert isinstance(paused, Campaign)
    return paused


@pytest.mark.parametrize(
    ("passed", "place"),
    [
        (timedelta(0), LAUNCHING),
        (timedelta(minutes=59), LAUNCHING),
        (HOUR, LAUNCHING),
        (HOUR + timedelta(seconds=1), PAUSED_SCHEDULED),
        (timedelta(days=30), PAUSED_SCHEDULED),
    ],
)
def test_what_should_have_launched_long_ago_waits_for_a_person(
    passed: timedelta, place: Place
) -> None:
    after = launch(campaign_at(SCHEDULED), START + passed, HOUR)
    assert isinstance(after, Campaign)
    assert place_of(after) == place
    assert is_late(after) is (place == PAUSED_SCHEDULED)
    assert after.paused_reason == (LATE_REASON if is_late(after) else None)


def test_a_late_campaign_that_is_resumed_launches_and_is_not_late_again() -> None:
    now = START + timedelta(days=1)
    resumed = resume(late(), now)
    assert isinstance(resumed, Campaign)
    assert (resumed.state, resumed.scheduled_at) == (S.SCHEDULED, now)
    launched = launch(resumed, now + timedelta(seconds=1), HOUR)
    assert isinstance(launched, Campaign)
    assert launched.state is S.LAUNCHING


def test_a_late_campaign_can_be_given_another_time() -> None:
    at = START + timedelta(days=2)
    scheduled = schedule(late(), at, START + timedelta(days=1))
    assert isinstance(scheduled, Campaign)
    assert (place_of(scheduled), scheduled.scheduled_at) == (SCHEDULED, at)
    assert scheduled.paused_reason is None


def test_what_a_person_paused_before_its_time_keeps_its_time_when_resumed_before_it() -> None:
    before = replace(campaign_at(PAUSED_SCHEDULED), trigger=Once(LATER + HOUR))
    resumed = resume(before, LATER)
    assert isinstance(resumed, Campaign)
    assert resumed.scheduled_at == LATER + HOUR
