"""The calendar: what was launched when, and what is to be."""
