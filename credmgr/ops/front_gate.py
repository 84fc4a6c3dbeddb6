"""What is settled about a request before anything else looks at it (security rule H-7)."""

import ipaddress
import logging
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.request import split_domain_port, validate_host

logger = logging.getLogger(__name__)

PEER = "credmgr.peer_address"  # in META: who is connected, be it a proxy
SERVER = "credmgr"  # the server library would name itself
_METHODS = ["GET", "HEAD", "POST", "OPTIONS"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class FrontGate:
    """Unknown Host: 400. TRACE and CONNECT: 405. Forwarded addresses count only from the proxies named."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse at once, or pass on with the client's own address."""
        response = refusal_of(request)
        if response is None:
            request.META[PEER] = request.META.get("REMOTE_ADDR", "")
            request.META["REMOTE_ADDR"] = client_address(request)
            response = self.get_response(request)
        response.headers["Server"] = SERVER
        return response


def refusal_of(request: HttpRequest) -> HttpResponse | None:
    """The answer to a request that is not even looked at; None for all others."""
    if request.method in ("TRACE", "CONNECT"):
        return _closed(HttpResponseNotAllowed(_METHODS))
    if _is_ours(request.META.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS)):
        return None
    try:
        request.get_host()
    except DisallowedHost:
        logger.warning("Refused a request for a host name that is not ours.")
        text = "This server does not answer under that host name.\n"
        return _closed(HttpResponse(text, status=400, content_type="text/plain; charset=utf-8"))
    return None


@lru_cache(maxsize=64)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    """As Django's get_host judges the header's text. False: judge it anew, in full."""
    name, _ = split_domain_port(host)
    return bool(name) and validate_host(name, allowed)


def _closed(response: HttpResponse) -> HttpResponse:
    """Refused here, it misses the headers that are set further inside."""
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@lru_cache(maxsize=8)
def _networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(name) for name in names)


def client_address(request: HttpRequest) -> str:
    """The peer, or, where the peer is a named proxy, the last address before the named proxies."""
    address: str = request.META.get("REMOTE_ADDR", "")
    named = settings.TRUSTED_PROXIES
    if not named:
        return address
    proxies = _networks(tuple(named))
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    while hops and is_in(address, proxies):
        candidate = hops.pop()
        if not _is_address(candidate):
            break
        address = candidate
    return address


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_in(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether the text is an address of one of these networks."""
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)
