"""Times on the wire."""

from clarion.clock import Moment as Moment
