"""The apps that send events: their write keys, what they may send, and how fast."""
