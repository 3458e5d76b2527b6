"""Sources, their keys, what they send, and Firebase apps in the API."""
