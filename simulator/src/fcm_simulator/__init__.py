"""A wire-faithful FCM: OAuth, `messages:send`, and what it received, to be counted."""
