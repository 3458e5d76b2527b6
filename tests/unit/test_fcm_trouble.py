"""Trouble with FCM is told at once, then once a minute, and when it is over."""

from datetime import timedelta

import pytest

from clarion.providers.fcm.auth import is_clock_to_blame
from clarion.providers.fcm.trouble import Trouble
from support.clock import START

CAPTURED = pytest.CaptureFixture[str]


class Story:
    def __init__(self, capsys: CAPTURED) -> None:
        self._capsys = capsys
        self._trouble = Trouble("shop-prod")

    def at(self, seconds: float, answers: int = 1, **found: int) -> list[str]:
        """The names of what is logged then."""
        self._trouble.note(found, answers, START + timedelta(seconds=seconds))
        self.text = self._capsys.readouterr().out
        return [one for one in ("fcm_trouble", "fcm_back_again") if one in self.text]


@pytest.fixture
def story(capsys: CAPTURED) -> Story:
    return Story(capsys)


def test_trouble_is_told_at_once_and_then_once_a_minute_with_its_sum(story: Story) -> None:
    assert story.at(0, 500, http_502=3) == ["fcm_trouble"]
    assert "shop-prod" in story.text and "'http_502': 3" in story.text
    assert [story.at(second, 10, timeout=1) for second in range(1, 60)] == [[]] * 59
    assert story.at(60, 10, unreachable=2) == ["fcm_trouble"]
    assert "'timeout': 59" in story.text and "'unreachable': 2" in story.text
    assert "of_answers=600" in story.text


def test_it_is_over_once_answers_come_again_for_a_while(story: Story) -> None:
    story.at(0, unavailable=5)
    assert story.at(5, 100) == []
    assert story.at(9, 100) == []
    assert story.at(30, 100) == ["fcm_back_again"]
    assert "after_seconds=30" in story.text
    assert story.at(31, 100) == []


def test_trouble_that_comes_and_goes_is_not_told_more_than_once_a_minute(story: Story) -> None:
    told = [name for second in range(0, 600, 12) for name in story.at(second, 10, **now(second))]
    assert told.count("fcm_trouble") <= 11
    assert told.count("fcm_back_again") <= told.count("fcm_trouble")


def now(second: int) -> dict[str, int]:
    return {"http_404": 1} if second % 24 == 0 else {}


def test_nothing_is_said_where_nothing_is_wrong(story: Story) -> None:
    assert [story.at(second, 500) for second in range(0, 300, 7)] == [[]] * 43


@pytest.mark.parametrize(
    ("description", "ahead_seconds", "is_to_blame"),
    [
        ("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
         "timeframe. Check your iat and exp values in the JWT claim.", None, True),
        ("Invalid JWT: iat is in the future", 3_600.0, True),
        ("", -3_600.0, True),
        ("", 5.0, False),
        ("Invalid JWT Signature.", 3_600.0, False),
        ("Invalid grant: account not found", 3_600.0, False),
        ("Invalid JWT Signature.", None, False),
    ],
)  # fmt: skip
def test_a_wrong_clock_is_told_from_a_wrong_key(
    description: str, ahead_seconds: float | None, is_to_blame: bool
) -> None:
    assert is_clock_to_blame(description, ahead_seconds) is is_to_blame
