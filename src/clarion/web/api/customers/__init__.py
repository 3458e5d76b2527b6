"""Customers, their devices, events and merges in the API."""
