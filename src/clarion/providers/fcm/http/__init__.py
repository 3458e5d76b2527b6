"""HTTP/2 requests through libcurl: connections, limits, trust."""
