"""What a person may ask of us: to be suppressed, to be erased, to be given their data."""
