"""Sources and Firebase apps: where events come from, and where pushes leave."""
