"""Sending one chunk of deliveries: claim, build, send, settle."""
