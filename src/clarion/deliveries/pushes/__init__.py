"""Pushes to one customer, which somebody asks for and which wait behind no campaign."""
