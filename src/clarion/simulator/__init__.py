"""A wire-faithful FCM for development, demos and tests."""
