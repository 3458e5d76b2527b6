"""HTTP: the collector's hot routes, the management API, health."""
