"""Signing in and out, accepting an invitation, choosing another password."""
