"""Ports of this machine that a server of a test can have."""

import random
import socket

_FIRST, _LAST = 10_240, 32_767
"""Below those that the system gives to connections going out: another test's can not take one
between the choice and the server's start."""


def free_ports(number: int) -> list[int]:
    """So many that nobody listens on now. Chosen by chance, so that tests side by side differ."""
    chance = random.SystemRandom()
    ports: set[int] = set()
    while len(ports) < number:
        port = chance.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.add(port)
    return list(ports)
