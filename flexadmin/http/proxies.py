"""Who is behind the proxies: the client's own address and scheme, as the proxies of TRUSTED_PROXIES tell them.
From anybody else those headers say nothing. The host is what `Host` says, held against ALLOWED_HOSTS as ever; a
trusted proxy passes it on. X-Forwarded-Host and Forwarded are never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
UNIX_SOCKET: Final = "unix"  # whoever can write to the site's socket; such a peer has no address
FORWARDED_HEADERS: Final = (
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
    "HTTP_X_REAL_IP", "HTTP_FORWARDED",
)  # fmt: skip


def parse_networks(said: Iterable[str]) -> list[Network | str]:
    """TRUSTED_PROXIES as written: addresses, networks, or `unix`. `ImproperlyConfigured` names what is neither."""
    found: list[Network | str] = []
    for one in filter(None, map(str.strip, said)):
        try:
            network = UNIX_SOCKET if one == UNIX_SOCKET else ip_network(one)
        except ValueError:
            raise ImproperlyConfigured(
                f"TRUSTED_PROXIES: {one} is neither an address nor a network such as 10.0.0.0/8."
            ) from None
        if not isinstance(network, str) and network.prefixlen == 0:
            raise ImproperlyConfigured(f"TRUSTED_PROXIES: {one} is everybody.")
        found.append(network)
    return found


class TrustedProxyMiddleware:
    """Sets REMOTE_ADDR and the scheme to the client's: the rightmost address of X-Forwarded-For that is no trusted
    proxy's. What stands left of it, the client may have made up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        said = {
            name: meta.pop(name, "") for name in FORWARDED_HEADERS
        }  # nothing behind this believes them
        if _is_trusted(meta.get("REMOTE_ADDR", "")):
            meta["REMOTE_ADDR"] = _client_address(
                meta.get("REMOTE_ADDR", ""), said["HTTP_X_FORWARDED_FOR"]
            )
            scheme = said["HTTP_X_FORWARDED_PROTO"].rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                meta["wsgi.url_scheme"] = scheme
        return self.get_response(request)


def _client_address(peer: str, forwarded_for: str) -> str:
    """The nearest address that can be known: what a trusted proxy says of its own peer, as long as it makes sense."""
    nearest = peer
    for hop in reversed(forwarded_for.split(",")):
        address = _parse_address(hop)
        if address is None:
            break
        nearest = str(address)
        if not _is_trusted(nearest):
            break
    return nearest


def _is_trusted(text: str) -> bool:
    trusted: list[Network | str] = settings.TRUSTED_PROXIES
    if not text:
        return UNIX_SOCKET in trusted
    address = _parse_address(text)
    return address is not None and any(
        not isinstance(network, str) and address in network for network in trusted
    )


def _parse_address(text: str) -> Address | None:
    """The address of one hop, which may have a port. An IPv4 address in IPv6's clothes is the IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
    else:
        text, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if port and not port.removeprefix(":").isdecimal():
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
