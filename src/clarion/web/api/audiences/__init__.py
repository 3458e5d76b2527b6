"""Audiences, and what occurs in a workspace, in the API."""
