"""What came of a push that the provider took: received, opened, converted."""
