"""Workspaces, who works in them, what they may do, and what they did.

Commands are the only way in which a face (API, console, command line) changes anything:
`command.py` says how one is written.
"""
