"""What events say of whose a key is."""
