"""Variables that Kubernetes and Docker set for a service named clarion: they begin as ours do, and
are no settings."""

import re

_OF_A_PORT = re.compile(r"_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")
_OF_A_SERVICE = re.compile(
    rf"_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT$|{_OF_A_PORT.pattern}"
)
_LINK = re.compile(r"(tcp|udp|sctp)://\S+:\d+")


def is_of_kubernetes(name: str, value: str) -> bool:
    """Whether Kubernetes, or Docker's links, say so of a service named clarion or clarion-….
    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""
    if not _OF_A_SERVICE.search(name):
        return False
    if name.endswith(("_PORT", "_TCP", "_UDP", "_SCTP")) and "://" in value:
        return bool(_LINK.fullmatch(value))
    return "_SERVICE_" in name or bool(_OF_A_PORT.search(name))
