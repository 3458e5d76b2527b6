"""Ports of this machine that a server of a test can have."""

from fcm_simulator.server.serving import free_port


def free_ports(number: int) -> list[int]:
    """So many that nobody listens on now, each another."""
    ports: set[int] = set()
    while len(ports) < number:
        ports.add(free_port())
    return list(ports)
