"""`clarion campaigns`."""
