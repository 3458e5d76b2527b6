"""What is about the installation itself, and runs without the API."""
