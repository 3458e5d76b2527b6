"""What a push says: checked when saved, rendered for one customer."""
