"""What became of it: receipts and opens, and the account."""
