"""Customers: search, a profile, and what people may ask of us."""
