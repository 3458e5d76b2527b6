"""The services whose exports can be imported, and how each of them is read. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clarion.faults import Rejected
from clarion.importing.services import (
    airship,
    braze,
    customer_io,
    firebase_topics,
    onesignal,
    pinpoint,
    posthog,
)
from clarion.importing.services.service_row import ServiceRow


class Service(StrEnum):
    """Whose export a file is."""

    PINPOINT = "pinpoint"
    ONESIGNAL = "onesignal"
    CUSTOMER_IO = "customer-io"
    AIRSHIP = "airship"
    POSTHOG = "posthog"
    BRAZE = "braze"
    FIREBASE_TOPICS = "firebase-topics"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFormat:
    """How a service's export is read: `names` says what its columns of ids are called here, so that
    what a spreadsheet has damaged of them is seen; one of `needs` must be there in CSV."""

    read: Callable[[Mapping[str, Any]], ServiceRow | Rejected]
    names: Mapping[str, str]
    needs: tuple[str, ...]
    has_repeated_columns: bool = False


FORMATS: Mapping[Service, ServiceFormat] = {
    Service.PINPOINT: ServiceFormat(
        read=pinpoint.read,
        names=pinpoint.NAMES,
        needs=("ChannelType",),
        has_repeated_columns=True,
    ),
    Service.ONESIGNAL: ServiceFormat(
        read=onesignal.read, names=onesignal.NAMES, needs=("device_type",)
    ),
    Service.CUSTOMER_IO: ServiceFormat(
        read=customer_io.read, names=customer_io.NAMES, needs=("user_id",)
    ),
    Service.AIRSHIP: ServiceFormat(read=airship.read, names=airship.NAMES, needs=("device_id",)),
    Service.POSTHOG: ServiceFormat(read=posthog.read, names=posthog.NAMES, needs=("user_id",)),
    Service.BRAZE: ServiceFormat(read=braze.read, names=braze.NAMES, needs=("user_id",)),
    Service.FIREBASE_TOPICS: ServiceFormat(
        read=firebase_topics.read, names=firebase_topics.NAMES, needs=("token",)
    ),
}
