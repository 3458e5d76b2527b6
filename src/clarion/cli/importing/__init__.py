"""`clarion import | export`."""
