"""The network addresses that a post to a URL of a user may connect to.

A user can enter any URL. Without this check, the server would send requests to the network that it
is in, where others can't reach.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final

from flows.outbound_http.failures import HostNotFound, RefusedAddress

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network
Lookup = Callable[..., Iterable[tuple[Any, ...]]]  # has the signature of `socket.getaddrinfo`
# The only IPv6 addresses that are given to hosts of the internet.
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Networks that some versions of Python call global, or that reach more than the internet.
_SPECIAL_NETWORKS: Final = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # services of Azure for its virtual machines
            "192.0.0.0/24",  # IETF protocol assignments
            "192.88.99.0/24",  # relays of 6to4
            "3fff::/20",  # documentation
        ),
    )
)
# Interface ids of ISATAP, by which a router sends a packet on to the IPv4 address in the last bytes.
_ISATAP_IDS: Final = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))


def parse_networks(entries: Iterable[str]) -> tuple[IPNetwork, ...]:
    """Return the networks of a setting. An address is a network of one. Raises ValueError."""
    return tuple(ip_network(entry.strip()) for entry in entries if entry.strip())


def resolve(
    host: str, port: int, *, allowed: Iterable[IPNetwork] = (), lookup: Lookup | None = None
) -> list[str]:
    """Return the addresses of a host, looked up once.

    Raises `HostNotFound`, or `RefusedAddress` if one of them is neither public nor allowed. This
    machine's own addresses aren't public, whatever they are: behind them are services that only this
    machine may reach.
    """
    lookup = lookup or socket.getaddrinfo
    try:
        answers = list(lookup(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):  # UnicodeError: a label that is empty or too long
        raise HostNotFound(host) from None
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not addresses:
        raise HostNotFound(host)
    networks = tuple(allowed)
    if not all(_is_permitted(address, networks) for address in addresses):
        raise RefusedAddress(host)
    return addresses


def _is_permitted(address: str, allowed: tuple[IPNetwork, ...]) -> bool:
    try:
        parts = list(_reached_addresses(ip_address(address)))
    except ValueError:
        return False
    return all(
        any(part in network for network in allowed)
        or (_is_public(part) and not is_own_address(part))
        for part in parts
    )


def _reached_addresses(address: IPAddress) -> Iterator[IPAddress]:
    """Yield the address, or the IPv4 addresses within it that a gateway would connect to."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield IPv4Address(address.packed[-4:])
    else:
        yield address
        if address.sixtofour:
            yield address.sixtofour


def _is_public(address: IPAddress) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    if any(address in network for network in _SPECIAL_NETWORKS):
        return False
    if isinstance(address, IPv4Address):
        return True
    return (
        address in _GLOBAL_UNICAST
        and address.scope_id is None
        and address.packed[8:12] not in _ISATAP_IDS
    )


def is_own_address(address: IPAddress) -> bool:
    """Return True for an address of this machine: a packet to it would come from the same one."""
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))  # chooses a route, and sends nothing
            return ip_address(probe.getsockname()[0]) == address
    except OSError:  # no route to it
        return False
