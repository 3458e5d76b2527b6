"""What stands against a launch, and what should be looked at before."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from clarion.campaigns.content.advice import advise
from clarion.campaigns.content.spec import ContentSpec
from clarion.campaigns.content_check.sample import FindingKind, SampleCheck
from clarion.campaigns.preview import Preview
from clarion.campaigns.timing.calendar import Upcoming
from clarion.deliveries.apps.queries import FirebaseApp
from clarion.faults import Rejected
from clarion.web.console.campaigns.compose.form import field_of
from clarion.web.console.campaigns.compose.labels import field_label

TYPED_FROM_DEVICES = 10_000
"""From so many devices on their number is typed before the launch."""
DIFFERS = 0.1
"""A launch is looked at again where the number has changed by this share since it was shown."""


class Level(StrEnum):
    BAD = "bad"
    """It can not be launched."""
    WARN = "warn"
    """It can, if that is meant."""
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Check:
    level: Level
    says: str
    cure: str = ""
    field: str = ""
    """Of the composer: where it is mended; `label`: what that is called."""
    label: str = ""


_STOPS = {"audience_empty", "audience_unreachable"}


def checks(
    preview: Preview,
    apps: Sequence[FirebaseApp],
    sample: SampleCheck,
    content: ContentSpec,
    upcoming: Upcoming | Rejected,
) -> list[Check]:
    """All that is known of it before it launches, what stops it first."""
    checks_made = [
        *_of_apps(apps),
        *_of_content(preview),
        *_of_sample(sample),
        *_of_advice(content),
        *_of_audience(preview, apps),
        *_of_timing(upcoming),
    ]
    order = list(Level)
    return sorted(checks_made, key=lambda check: order.index(check.level))


def is_stopped(checks_made: Sequence[Check]) -> bool:
    return any(check.level is Level.BAD for check in checks_made)


def must_be_typed(devices: int) -> bool:
    return devices >= TYPED_FROM_DEVICES


def has_changed(shown: int, now: int) -> bool:
    """Whether the number that somebody agreed to is another one by now."""
    return abs(now - shown) > DIFFERS * max(shown, 1)


def minutes_at(devices: int, per_minute: int) -> int:
    """How long a launch takes, in whole minutes; 0: less than one."""
    return devices // max(per_minute, 1)


def _of_apps(apps: Sequence[FirebaseApp]) -> list[Check]:
    if not apps:
        cure = "Add one under Connections: without its key nothing can be sent."
        return [Check(Level.BAD, "There is no Firebase app.", cure)]
    paused = [app for app in apps if app.paused_reason is not None]
    if len(paused) == len(apps):
        return [
            Check(
                Level.WARN,
                f"The Firebase app {paused[0].project_id} is paused: {paused[0].paused_reason}.",
                "The campaign waits until it is resumed, under Connections.",
            )
        ]
    if paused:
        names = ", ".join(app.project_id for app in paused)
        return [Check(Level.WARN, f"Paused: {names}.", "Their devices wait until it is resumed.")]
    return [Check(Level.OK, "The Firebase app has a key, and is not paused.")]


def _of_content(preview: Preview) -> list[Check]:
    if preview.faults:
        return [
            Check(
                Level.BAD,
                f"{fault.platform.value}: {_named(fault.field)} {fault.message}.",
                "Edit the text.",
            )
            for fault in preview.faults
        ]
    checks_made = [
        Check(Level.OK, "It can be shown on iPhone, Android and the web, and fits into 4 KB.")
    ]
    base = preview.campaign.content.base
    if not base.link:
        checks_made.append(
            Check(Level.WARN, "A tap opens the app where it was: no address is given.")
        )
    return checks_made


def _named(path: str) -> str:
    """A field as the composer calls it."""
    return "The audience" if path == "audience" else field_label(field_of(path))


def _of_sample(sample: SampleCheck) -> list[Check]:
    """What is wrong for some of those who were looked at. It stops a launch where it is so for all
    of them."""
    checks_made = []
    for finding in sample.findings:
        share = f"{finding.customers} of {sample.customers} customers that were looked at"
        example = finding.example.user_id or str(finding.example.id)
        is_fatal = finding.kind is not FindingKind.PRINTS_NOTHING
        level = Level.BAD if is_fatal and finding.customers == sample.customers else Level.WARN
        checks_made.append(
            Check(
                level,
                f"For {share}, such as {example}: {_named(finding.field)} {finding.message}.",
                "Their pushes would be skipped." if is_fatal else "They would read a gap.",
            )
        )
    if sample.customers and not checks_made:
        looked_at = "1 customer" if sample.customers == 1 else f"{sample.customers} customers"
        message = f"It was made for {looked_at} of the audience, and reads well."
        checks_made.append(Check(Level.OK, message))
    return checks_made


def _of_advice(content: ContentSpec) -> list[Check]:
    return [
        Check(Level.WARN, f"{_named(advice.field)} {advice.message}.") for advice in advise(content)
    ]


def _of_timing(upcoming: Upcoming | Rejected) -> list[Check]:
    """What stands against the draft's own time: another one can be given here."""
    if isinstance(upcoming, Rejected):
        message = f"The time it is meant for does not do: {upcoming.message}"
        return [Check(Level.WARN, message, "Edit it, or choose another time here.")]
    if upcoming.shifted:
        message = "The clocks there skip the time it is meant for: it launches when they go on."
        return [Check(Level.WARN, message)]
    return []


def _of_audience(preview: Preview, apps: Sequence[FirebaseApp]) -> list[Check]:
    checks_made = [
        Check(
            Level.BAD if warning.code in _STOPS else Level.WARN,
            f"{_named(warning.field)} {warning.message}.",
        )
        for warning in preview.warnings
    ]
    if preview.devices:
        minutes = minutes_at(preview.devices, max((a.pushes_per_minute for a in apps), default=1))
        spread = preview.campaign.spread_minutes
        duration = f"about {minutes} min" if minutes else "less than a minute"
        if spread:
            duration = f"{spread} min, as you spread it"
        checks_made.append(Check(Level.OK, f"To send it takes {duration}."))
    return checks_made
