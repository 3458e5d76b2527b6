"""What FCM does with a message: rules, answers, registrations, topics, faults. No I/O."""
