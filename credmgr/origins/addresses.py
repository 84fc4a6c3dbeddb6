"""What people type as an origin, read strictly (security rules O-3 and O-5). No ORM here.

An origin is a scheme, a host and a port and nothing else. Whatever two programs could read differently is
refused, with a sentence that says how to write it.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from credmgr.origins.errors import OriginError
from credmgr.outbound.connecting import is_public
from credmgr.outbound.origin import DEFAULT_PORTS, Origin

_TYPED_MAX = 600
_HOST_MAX = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# How the last part of an address in some other notation looks: 2130706433, 0x7f.1, 127.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_EXAMPLE = "https://idp.example.com"


@dataclass(frozen=True)
class Address:
    """Scheme, host (lower case, an IPv6 address without brackets) and port of an origin."""

    scheme: str
    host: str
    port: int

    @property
    def text(self) -> str:
        """As people write it."""
        return Origin("", self.host, self.port, scheme=self.scheme).address


def read_address(typed: str, *, is_private: bool, is_http: bool) -> Address:
    """The origin that was typed. The marks say what the entry allows. Raises OriginError."""
    address = _read(typed.strip())
    if address.scheme == "http" and not is_http:
        raise _refusal(
            "http_unmarked",
            "Over http:// anyone on the way can read what is sent and forge the answer. Tick Plain http to "
            "allow it all the same, or write https://.",
        )
    if address.scheme == "https" and is_http:
        raise _refusal(
            "http_marked", "The address begins with https://. Untick Plain http, or write http://."
        )
    if not is_private and _is_surely_private(address.host):
        raise _refusal(
            "private_unmarked",
            f"{address.host} is not an address of the public internet. Tick Private addresses to allow it.",
        )
    return address


def origin_in(url: str) -> str:
    """The origin of an address, "" when it has none that could be listed."""
    try:
        parts = urlsplit(url)
        return _address(parts, url).text
    except (ValueError, OriginError):
        return ""


def _read(typed: str) -> Address:
    if not typed:
        raise _refusal("missing", f"Enter an origin, such as {_EXAMPLE}.")
    if len(typed) > _TYPED_MAX:
        raise _refusal("too_long", f"This is too long for an origin. Enter one such as {_EXAMPLE}.")
    if not typed.isprintable() or any(sign.isspace() for sign in typed) or "\\" in typed:
        raise _refusal(
            "characters", "The origin holds a space, a backslash or a control character. Remove it."
        )
    try:
        parts = urlsplit(typed)
    except ValueError:
        raise _refusal("form", f"This is not an origin. Enter one such as {_EXAMPLE}.") from None
    address = _address(parts, typed)
    if parts.path.strip("/") or parts.path.count("/") > 1 or "?" in typed or "#" in typed:
        raise _refusal("path", f"An origin has no path, ? or #. Enter {address.text} alone.")
    return address


def _address(parts: SplitResult, typed: str) -> Address:
    """Raises OriginError."""
    if parts.scheme not in DEFAULT_PORTS or not typed.lower().startswith(f"{parts.scheme}://"):
        raise _refusal("scheme", f"The origin begins with https://, such as {_EXAMPLE}.")
    if "@" in parts.netloc:
        raise _refusal("user", "The origin holds a user name or password. Remove everything up to the @.")
    host = _host(parts)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or parts.netloc.endswith(":"):
        raise _refusal("port", "The port is a number from 1 to 65535. Correct it, or leave it out.")
    return Address(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme])


def _host(parts: SplitResult) -> str:
    """Raises OriginError."""
    if parts.netloc.startswith("["):
        return _ipv6(parts.netloc)
    host = (parts.hostname or "").lower()
    if not host:
        raise _refusal("host_missing", f"The host is missing. Enter an origin such as {_EXAMPLE}.")
    if "*" in host:
        raise _refusal("wildcard", "There are no wildcards. Add one entry for each host.")
    if not host.isascii():
        raise _refusal("idna", f"Write the host in its ASCII form{_ascii_form(host)}.")
    labels = host.split(".")
    if len(host) > _HOST_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refusal(
            "host",
            "This is not a host name. It has letters, digits, hyphens and single dots, and ends without one.",
        )
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(host)
    return host


def _ipv4(host: str) -> str:
    """What ends in a number is an IPv4 address (WHATWG URL, host parsing); only the plain form is taken."""
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise _refusal(
            "numbers", f"{host} is no host name. Write an IPv4 address as four numbers, such as 192.0.2.10."
        ) from None


def _ipv6(netloc: str) -> str:
    inner, bracket, rest = netloc[1:].partition("]")
    try:
        if not bracket or (rest and not rest.startswith(":")) or "%" in inner:
            raise ValueError(netloc)
        return str(ipaddress.IPv6Address(inner))
    except ValueError:
        raise _refusal(
            "ipv6", "This is not an IPv6 address in brackets, such as https://[2001:db8::10]:8443."
        ) from None


def _ascii_form(host: str) -> str:
    try:
        return f": {host.encode('idna').decode()}"
    except UnicodeError:
        return ", which begins with xn--"


def _is_surely_private(host: str) -> bool:
    """Told without a look-up: literal addresses that are not public, and names of this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(host)
    except ValueError:
        return False


def _refusal(code: str, message: str) -> OriginError:
    return OriginError(f"origin_{code}", message, field="address")
