"""Audiences: whom campaigns are for."""
