"""SQLite: its connections, and its file."""
