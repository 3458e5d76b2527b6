"""What became of a campaign, and what may be done with it."""
