"""The client's address and scheme behind reverse proxies.

The X-Forwarded-For and X-Forwarded-Proto headers of the proxies in TRUSTED_PROXIES are used, those
of other peers are ignored. The host is always taken from `Host`, which a proxy passes on and
ALLOWED_HOSTS limits. X-Forwarded-Host and Forwarded are never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
UNIX_SOCKET: Final = "unix"  # a peer on the site's Unix socket, which has no address
FORWARDED_HEADERS: Final = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
)


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The peers whose headers are used: networks, and the site's Unix socket."""

    networks: tuple[Network, ...]
    has_unix_socket: bool

    def includes(self, peer: str) -> bool:
        """Return True for a trusted peer. A peer on the Unix socket has an empty address."""
        if not peer:
            return self.has_unix_socket
        address = _parse_address(peer)
        if address is None:
            return False
        return any(address in network for network in self.networks)


def parse_networks(texts: Iterable[str]) -> TrustedProxies:
    """Return the trusted proxies from the entries of TRUSTED_PROXIES: networks, or `unix`.

    Raises `ImproperlyConfigured` for any other text, and for a network of all addresses.
    """
    entries = list(filter(None, map(str.strip, texts)))
    networks = [_parse_network(entry) for entry in entries if entry != UNIX_SOCKET]
    return TrustedProxies(tuple(networks), has_unix_socket=UNIX_SOCKET in entries)


def _parse_network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise ImproperlyConfigured(
            f"TRUSTED_PROXIES: {text} is neither an address nor a network such as 10.0.0.0/8."
        ) from None
    if network.prefixlen == 0:
        raise ImproperlyConfigured(f"TRUSTED_PROXIES: {text} is everybody.")
    return network


class TrustedProxyMiddleware:
    """Sets REMOTE_ADDR and the scheme to those of the client.

    The client is the rightmost address of X-Forwarded-For that is not a trusted proxy. The client
    can have forged the addresses to the left of it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        # Removed from the request, so that no other code can rely on them.
        headers = {name: meta.pop(name, "") for name in FORWARDED_HEADERS}
        peer = meta.get("REMOTE_ADDR", "")
        if settings.TRUSTED_PROXIES.includes(peer):
            meta["REMOTE_ADDR"] = _client_address(peer, headers["HTTP_X_FORWARDED_FOR"])
            scheme = _last_hop(headers["HTTP_X_FORWARDED_PROTO"]).lower()
            if scheme in ("http", "https"):
                meta["wsgi.url_scheme"] = scheme
        return self.get_response(request)


def _last_hop(header: str) -> str:
    """Return the last value of a header that each proxy adds one to."""
    _, _, value = header.rpartition(",")
    return value.strip()


def _client_address(peer: str, forwarded_for: str) -> str:
    """Return the nearest address that is not a trusted proxy. Stop at a hop that is no address."""
    nearest = peer
    for hop in reversed(forwarded_for.split(",")):
        address = _parse_address(hop)
        if address is None:
            break
        nearest = str(address)
        if not settings.TRUSTED_PROXIES.includes(nearest):
            break
    return nearest


def _parse_address(text: str) -> Address | None:
    """Return the address of one hop, which can have a port, or None if it is malformed.

    An IPv4-mapped IPv6 address becomes the IPv4 address.
    """
    host, port = _split_port(text.strip())
    if port and not port.removeprefix(":").isdecimal():
        return None
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def _split_port(text: str) -> tuple[str, str]:
    """Return the host and the port of `1.2.3.4:80` or `[::1]:80`. The port is "" if there is none.

    The port of a bracketed address keeps its colon.
    """
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, ""
