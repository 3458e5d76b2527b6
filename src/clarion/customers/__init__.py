"""Whom we know, and where we can reach them.

Takes `events` jobs; keeps customers, devices and who owns which.
"""
