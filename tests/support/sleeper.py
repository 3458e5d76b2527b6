"""A process that does nothing, for ever: `python -m support.sleeper`."""

import signal

if __name__ == "__main__":
    signal.pause()
