"""Tests of one group run in one process of pytest-xdist."""

import os

import pytest

GROUP = "a group"


@pytest.mark.xdist_group(GROUP)
def test_the_group_of_a_test_is_known_to_whoever_hands_tests_out(
    request: pytest.FixtureRequest,
) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith(f"@{GROUP}")
    else:
        assert "@" not in request.node.nodeid
