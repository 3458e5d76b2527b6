"""Campaigns and their deliveries in the API."""
