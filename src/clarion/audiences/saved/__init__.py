"""Saved audiences and static lists: made, counted, explained."""
