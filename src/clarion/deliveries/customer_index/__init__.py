"""Which deliveries a customer had."""
