"""What a template reads of its campaign, and in which time zone it writes a date."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from clarion.campaigns.content.spec import Content, ContentSpec, parse_content
from clarion.campaigns.content.templates.launch_values import LaunchValues, campaign_values
from clarion.campaigns.content.templates.template import Template, faults_of
from clarion.customers.devices.device import Platform

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CAMPAIGN = campaign_values(UUID(int=7), "Spring", "spring-26", None, NOON)
VIENNA = LaunchValues(campaign=CAMPAIGN, zone="Europe/Vienna")
FORM = "%Y-%m-%d %H:%M"


def spec(text: str) -> ContentSpec:
    content = parse_content({"title": "Hello", "body": text})
    assert isinstance(content, ContentSpec), content
    return content


def said(text: str, value: Any = None, zone: str | None = None, launch: Any = VIENNA) -> Any:
    """What a body says of the trait `at`."""
    content = spec(text)
    assert faults_of(content) == []
    rendered = Template(content).render(
        Platform.ANDROID, user_id=None, traits={"at": value}, now=NOON, launch=launch, zone=zone
    )
    assert isinstance(rendered, Content), rendered
    return rendered.body


def test_a_campaign_says_its_name_its_code_its_id_and_when_it_launched() -> None:
    text = "{{ campaign.id }} {{ campaign.name }} {{ campaign.code }} {{ campaign.launched_at }}"
    assert said(text) == f"{UUID(int=7)} Spring spring-26 2026-03-01T12:00:00Z"
    assert said("{{ campaign.launched_at | date: '%H:%M' }}") == "13:00"
    assert said("[{{ campaign.category }}]") == "[]"
    assert said("[{{ campaign.name }}]", launch=LaunchValues()) == "[]"


@pytest.mark.parametrize(
    "text",
    ["{{ campaign }}", "{{ campaign.audience }}", "{{ campaign.name.first }}",
     "{% for x in campaign %}{{ x }}{% endfor %}", "{{ campaign[customer.x] }}",
     "{{ campaign.__class__ }}", "{{ campaign.size }}", "{{ campaign.first }}",
     "{% assign c = campaign %}{{ c.name }}"],
)  # fmt: skip
def test_a_template_that_asks_for_more_of_a_campaign_is_refused(text: str) -> None:
    (fault,) = faults_of(spec(text))
    assert fault.message.endswith(
        "campaign has id, name, code, category, launched_at, such as campaign.name"
    )


@pytest.mark.parametrize(
    "value",
    ["2026-07-01T22:30:00Z", "2026-07-02T01:30:00+03:00", 1_782_945_000, 1_782_945_000_000,
     "1782945000", "1782945000000", "Wed, 01 Jul 2026 22:30:00 GMT"],
)  # fmt: skip
def test_an_instant_in_any_form_is_written_in_the_workspaces_zone(value: Any) -> None:
    assert said(f"{{{{ customer.at | date: '{FORM}' }}}}", value) == "2026-07-02 00:30"
    workspace = f"{{{{ customer.at | date: '{FORM}', 'workspace' }}}}"
    assert said(workspace, value) == "2026-07-02 00:30"


def test_a_date_is_written_in_the_customers_zone_where_it_says_so() -> None:
    text = f"{{{{ customer.at | date: '{FORM}', 'customer' }}}}"
    at = "2026-07-01T22:30:00Z"
    assert said(text, at, zone="America/New_York") == "2026-07-01 18:30"
    assert said(text, at, zone="Asia/Kathmandu") == "2026-07-02 04:15"
    assert said(text, at) == "2026-07-02 00:30"  # nobody knows theirs: the workspace's
    assert said(f"{{{{ 'now' | date: '{FORM}', 'customer' }}}}", zone="Asia/Tokyo") == (
        "2026-03-01 21:00"
    )


def test_a_date_is_written_in_a_zone_by_its_name_or_by_a_trait() -> None:
    at = "2026-07-01T22:30:00Z"
    assert said(f"{{{{ customer.at | date: '{FORM}', 'Asia/Tokyo' }}}}", at) == "2026-07-02 07:30"
    by_trait = f"{{{{ '{at}' | date: '{FORM}', customer.at }}}}"
    assert said(by_trait, "Asia/Tokyo") == "2026-07-02 07:30"
    for no_zone in ("Moon", None, 7, ["Asia/Tokyo"], "../UTC"):
        assert said(by_trait, no_zone) == "2026-07-02 00:30"


def test_a_day_without_a_time_is_that_day_everywhere() -> None:
    text = f"{{{{ customer.at | date: '{FORM}', 'customer' }}}}"
    assert said(text, "2026-07-01", zone="America/New_York") == "2026-07-01 00:00"
    assert said(text, "2026-07-01T22:30", zone="America/New_York") == "2026-07-01 22:30"


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_first_and_the_last_instant_are_written_as_they_came(value: str) -> None:
    for zone in ("America/New_York", "Pacific/Kiritimati"):
        year = said("{{ customer.at | date: '%-Y', 'customer' }}", value, zone=zone)
        assert year in ("1", "0001", "9999")


@pytest.mark.parametrize(
    "text",
    ["{{ customer.at | date: '%Y', 'Mars/Base' }}",
     "Hi\n{{ customer.at | date: '%Y', 'Mars/Base' | upcase }}",
     "{% if true %}{{ customer.at | date: '%Y', 'Mars/Base' }}{% endif %}",
     "{% assign x = customer.at | date: '%Y', 'Mars/Base' %}{{ x }}"],
)  # fmt: skip
def test_a_zone_that_there_is_not_is_refused_when_it_is_saved(text: str) -> None:
    (fault,) = faults_of(spec(text))
    assert "there is no time zone Mars/Base; use customer, or one such as" in fault.message
    assert ("in line 2" in fault.message) == text.startswith("Hi")


@pytest.mark.parametrize(
    ("text", "asked"),
    [("{{ customer.at }}", (False, False)),
     ("{{ customer.at | date: '%Y' }}", (True, False)),
     ("{{ customer.at | date: '%Y', 'Asia/Tokyo' }}", (True, False)),
     ("{{ customer.at | date: '%Y', 'workspace' }}", (True, False)),
     ("{{ customer.at | date: '%Y', 'customer' }}", (True, True)),
     ("{% capture x %}{{ customer.at | date: '%Y', customer.zone }}{% endcapture %}{{ x }}",
      (True, True))],
)  # fmt: skip
def test_a_template_knows_whose_zones_it_needs(text: str, asked: tuple[bool, bool]) -> None:
    template = Template(spec(text))
    assert (template.has_dates, template.has_dates_of_customers) == asked
