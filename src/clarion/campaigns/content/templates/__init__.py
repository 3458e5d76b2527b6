"""Texts with Liquid in them: parsed, checked, rendered for one customer."""
