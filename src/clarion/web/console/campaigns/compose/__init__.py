"""The composer: what to say to whom."""
