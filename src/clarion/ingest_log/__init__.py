"""What came in and what became of it, for people who look for their events."""
