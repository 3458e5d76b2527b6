"""How long ago registrations were refreshed, and the end of those that are not."""
