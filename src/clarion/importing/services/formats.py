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
from clarion.importing.services.service_row import ServiceRow, fault_of_objects


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

    reader: Callable[[Mapping[str, Any]], ServiceRow | Rejected]
    names: Mapping[str, str]
    needs: tuple[str, ...]
    objects: tuple[str, ...] = ()
    """Columns that hold an object, in CSV as JSON."""
    has_repeated_columns: bool = False

    def read(self, record: Mapping[str, Any]) -> ServiceRow | Rejected:
        """A row. One with an object that can not be read is refused whole."""
        return fault_of_objects(record, self.objects) or self.reader(record)


FORMATS: Mapping[Service, ServiceFormat] = {
    Service.PINPOINT: ServiceFormat(
        reader=pinpoint.read,
        names=pinpoint.NAMES,
        needs=("ChannelType",),
        has_repeated_columns=True,
    ),
    Service.ONESIGNAL: ServiceFormat(
        reader=onesignal.read, names=onesignal.NAMES, objects=("tags",), needs=("device_type",)
    ),
    Service.CUSTOMER_IO: ServiceFormat(
        reader=customer_io.read,
        names=customer_io.NAMES,
        objects=("identifiers", customer_io.PREFERENCES),
        needs=("user_id",),
    ),
    Service.AIRSHIP: ServiceFormat(
        reader=airship.read,
        names=airship.NAMES,
        objects=("attributes", "tag_groups"),
        needs=("device_id",),
    ),
    Service.POSTHOG: ServiceFormat(
        reader=posthog.read, names=posthog.NAMES, objects=("properties",), needs=("user_id",)
    ),
    Service.BRAZE: ServiceFormat(
        reader=braze.read, names=braze.NAMES, objects=("custom_attributes",), needs=("user_id",)
    ),
    Service.FIREBASE_TOPICS: ServiceFormat(
        reader=firebase_topics.read, names=firebase_topics.NAMES, objects=("rel",), needs=("token",)
    ),
}
