"""Provider apps: keys, pace, and when their answers are doubted."""
