"""One HTTP call: its bytes, its events, and whether each can be accepted."""
