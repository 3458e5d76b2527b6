"""Campaigns in the console: the list, the composer, the review, the report."""
