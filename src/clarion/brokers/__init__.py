"""The adapters of `broker.py`."""
