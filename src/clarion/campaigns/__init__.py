"""What to say, and when. Hands on `launch` jobs."""
