"""One push to one device, until settled. Takes `launch` and `chunk` jobs."""
