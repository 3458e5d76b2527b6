"""One event as an app sent it: read and normalised."""
