"""Commands about audiences."""
