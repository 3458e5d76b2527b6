"""`clarion keys | people | workspace | workspaces | audit`."""
