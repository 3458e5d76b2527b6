"""A launch becomes chunks of deliveries."""
