"""A workspace's limits, kept when a chunk is sent: who is left alone, and how often is enough."""
