"""The last look before a launch."""
