"""One's own settings."""
