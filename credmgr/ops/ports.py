"""Whether a port is free, and whether something answers on it."""

import errno
import socket


class PortError(Exception):
    """The port cannot be used. Its text is ready to be shown."""


def require_free(address: str, port: int, setting: str) -> None:
    """Raise PortError, naming the setting that moves it, unless the port can be bound.

    The server library binds with SO_REUSEPORT and would silently share the port with a second server; this
    plain bind is what notices.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of an earlier server that are still winding down must not count as "in use".
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise PortError(_sentence(error, address, port, setting)) from None


def _sentence(error: OSError, address: str, port: int, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {address} is already in use. "
            f"Stop the program that uses it, or set {setting} to another port."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has. Set {setting} to a port above 1023."
    reason = error.strerror or type(error).__name__
    return f"Port {port} on {address} cannot be opened: {reason}. Check CREDMGR_BIND_ADDRESS and {setting}."


def answers(address: str, port: int) -> bool:
    """Whether a connection to the port is accepted within a second."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False
