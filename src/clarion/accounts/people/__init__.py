"""People who work with Clarion: who they are, what they may do where, and how they sign in."""
