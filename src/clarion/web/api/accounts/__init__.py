"""Keys, people, workspaces and the audit log in the API."""
