"""Times on the wire."""

from datetime import datetime
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""ISO 8601 with its offset; those we tell are in UTC."""
