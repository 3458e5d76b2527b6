"""A file of records, read line by line into events."""
