"""A call from an app becomes a durable event.

Takes HTTP batches, hands on `events` jobs; keeps sources and events.
"""
