"""Two customers that an administrator says are one person."""
