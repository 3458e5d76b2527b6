"""A content tried out before it is sent: shown for one customer, rendered for a sample."""
