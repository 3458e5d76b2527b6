"""Launches: occurrences of campaigns, and what starts them."""
