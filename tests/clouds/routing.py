"""Leads connections for given host names to a server on this machine, below everything of the program.

The name resolves to a public address, as the real one does, so the guard against private addresses is
passed honestly; a connection to that address and port ends at 127.0.0.1. TLS and names stay as they are.
"""

import socket
from collections.abc import Callable, Mapping
from typing import Any

# Of Microsoft's network, and routed nowhere in a test.
_PUBLIC = "20.190.128."


def lead(ports: Mapping[str, int]) -> Callable[[], None]:
    """ports: {host: port on 127.0.0.1 that its port 443 leads to}. Returns what undoes it."""
    addresses = {host: f"{_PUBLIC}{number}" for number, host in enumerate(ports, start=1)}
    ends = {(addresses[host], 443): ("127.0.0.1", port) for host, port in ports.items()}
    before_look_up, before_connect = socket.getaddrinfo, socket.socket.connect

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host in addresses:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (addresses[host], port))]
        return before_look_up(host, port, *args, **kwargs)

    def connect(self: socket.socket, address: Any) -> None:
        before_connect(self, ends.get(address, address) if isinstance(address, tuple) else address)

    def undo() -> None:
        socket.getaddrinfo = before_look_up
        socket.socket.connect = before_connect  # type: ignore[method-assign] # as it was

    socket.getaddrinfo = look_up
    socket.socket.connect = connect  # type: ignore[assignment,method-assign] # Python lets the class be changed
    return undo
