"""A content checked before it is sent: shown for one customer, rendered for a sample."""
