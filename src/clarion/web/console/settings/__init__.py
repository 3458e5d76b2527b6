"""The workspace: who works in it, keys, how long things are kept, who did what."""
