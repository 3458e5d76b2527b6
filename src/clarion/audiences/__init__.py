"""Whom a campaign is for: a rule, and the same rule as SQL."""
