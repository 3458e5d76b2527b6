"""Customers, devices and events from files and into files."""
