"""What is old goes: deliveries and logs, after days that each workspace chooses. Not events yet."""
