"""Exports of other services: one reader a format, each of which gives the records that an import of
ours takes."""
