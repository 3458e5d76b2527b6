"""What we know of a customer: traits and push preference."""
