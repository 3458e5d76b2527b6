"""Clarion: app events in, push campaigns out, with an account that balances."""

__version__ = "0.2.0"
