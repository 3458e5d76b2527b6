"""What is old goes: events, deliveries and logs, after days that each workspace chooses."""
