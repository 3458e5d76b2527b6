"""PostgreSQL: its address, its connections, what its server says of itself."""
