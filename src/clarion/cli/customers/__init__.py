"""`clarion customers | devices`."""
