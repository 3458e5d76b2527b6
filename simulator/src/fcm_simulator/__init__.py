"""A wire-faithful FCM: OAuth, `messages:send`, and what it received, to be counted."""

__version__ = "0.1.0"
