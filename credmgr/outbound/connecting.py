"""Connections to checked addresses: a name is looked up once, and what was checked is connected to (O-4)."""

import ipaddress
import socket
import threading

from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import Failure, OutboundError
from credmgr.outbound.origin import Origin

CONNECT_SECONDS = 3.0


def connect(origin: Origin, deadline: Deadline) -> socket.socket:
    """A connected socket to the first address that answers, all of them checked before (O-3, O-4)."""
    refused = OutboundError(Failure.REFUSED, f"Nothing answers at {origin.host}:{origin.port}.")
    for family, address in _resolve(origin, deadline):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(min(CONNECT_SECONDS, deadline.remaining()))
        try:
            deadline.watch(sock)
            sock.connect((address, origin.port))
        except TimeoutError:
            refused = OutboundError(
                Failure.TIMEOUT, f"No connection to {origin.host}:{origin.port} within {CONNECT_SECONDS:g} s."
            )
            sock.close()
        except OSError:
            sock.close()
        else:
            sock.settimeout(deadline.remaining())
            return sock
    raise refused


def _resolve(origin: Origin, deadline: Deadline) -> list[tuple[int, str]]:
    """(family, address) pairs. In a thread of its own: a name server cannot be hurried by a time-out."""
    found: list[tuple[int, str]] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        except OSError:
            return
        found.extend((family, str(address[0])) for family, _, _, _, address in rows)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(min(CONNECT_SECONDS, deadline.remaining()))
    if not found:
        raise OutboundError(Failure.NAME, f"The name {origin.host} could not be resolved.")
    if not origin.is_private and any(not is_public(address) for _, address in found):
        raise OutboundError(
            Failure.ADDRESS, f"{origin.host} leads to a private address, which its list entry does not allow."
        )
    return found


def is_public(address: str) -> bool:
    """Global unicast, also behind the IPv4-in-IPv6 forms (O-3)."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast
