"""Who carries a push to a device. Each provider is a folder of its own."""
