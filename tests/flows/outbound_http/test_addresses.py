"""The addresses that a webhook's test may connect to: public ones, and those of allowed networks."""

import socket
from ipaddress import ip_address

import pytest

from flows.outbound_http import addresses
from flows.outbound_http.addresses import is_own_address, parse_networks, resolve
from flows.outbound_http.failures import HostNotFound, RefusedAddress


def lookup_of(*addresses):
    """Return a look-up that finds these addresses for every name."""

    def lookup(_host, port, **_options):
        return [(socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return lookup


REFUSED = {
    "loopback": "127.0.0.1",
    "another loopback": "127.9.9.9",
    "private 10": "10.1.2.3",
    "private 172": "172.16.0.1",
    "private 192": "192.168.1.1",
    "cloud metadata": "169.254.169.254",
    "carrier-grade NAT": "100.64.0.1",
    "this network": "0.0.0.0",
    "benchmark": "198.18.0.1",
    "multicast": "224.0.0.1",
    "multicast of the internet": "233.252.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1",
    "IPv6 unspecified": "::",
    "IPv6 link-local": "fe80::1",
    "IPv6 with a zone": "fe80::1%lo",
    "IPv6 unique local": "fd00:ec2::254",
    "IPv6 site-local": "fec0::1",
    "IPv6 multicast": "ff0e::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv4-mapped loopback": "::ffff:127.0.0.1",
    "IPv4-mapped private": "::ffff:10.0.0.1",
    "IPv4-compatible": "::127.0.0.1",
    "NAT64 of a private one": "64:ff9b::a00:1",
    "local NAT64": "64:ff9b:1::1",
    "6to4 of a private one": "2002:a00:1::1",
    "Teredo of a loopback": "2001:0:7f00:1::1",
    "services of Azure": "168.63.129.16",
    "protocol assignments": "192.0.0.10",
    "metadata of Oracle": "192.0.0.192",
    "relay of 6to4": "192.88.99.1",
    "newer IPv6 documentation": "3fff::1",
    "ISATAP of a private one": "2606:2800:220:1:0:5efe:a00:1",
    "ISATAP, global": "2606:2800:220:1:200:5efe:a00:1",
    "public with a zone": "2606:2800:220:1::1%lo",
    "no address": "nonsense",
}


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_address_that_is_not_public_is_refused(address):
    with pytest.raises(RefusedAddress, match="leads to a private or reserved address"):
        resolve("hooks.example.com", 443, lookup=lookup_of(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "2002:5db8:d822::1"]
)
def test_public_address_is_accepted(address):
    assert resolve("hooks.example.com", 443, lookup=lookup_of(address)) == [address]


@pytest.mark.parametrize("order", [1, -1])
def test_name_with_one_private_address_among_public_ones_is_refused(order):
    addresses = ["93.184.216.34", "10.0.0.1"][::order]

    with pytest.raises(RefusedAddress):
        resolve("hooks.example.com", 443, lookup=lookup_of(*addresses))


@pytest.mark.parametrize(
    "spelling", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost", "::1"]
)
def test_every_spelling_of_this_machine_is_refused(spelling):
    with pytest.raises(RefusedAddress):
        resolve(spelling, 80)


@pytest.mark.parametrize("address", ["10.1.0.7", "::ffff:10.1.0.7", "64:ff9b::a01:7"])
def test_allowed_network_is_let_through(address):
    allowed = parse_networks(["10.1.0.0/16"])

    assert resolve("crm.internal", 443, allowed=allowed, lookup=lookup_of(address)) == [address]
    with pytest.raises(RefusedAddress):
        resolve("crm.internal", 443, allowed=allowed, lookup=lookup_of("10.2.0.7"))


def test_own_address_is_refused_even_if_it_is_public(monkeypatch):
    """Services that listen on it may be kept from everybody else by a firewall."""
    monkeypatch.setattr(addresses, "is_own_address", lambda one: str(one) == "93.184.216.34")
    own = lookup_of("93.184.216.34")

    with pytest.raises(RefusedAddress, match="or to this server itself"):
        resolve("hooks.example.com", 443, lookup=own)
    assert resolve("hooks.example.com", 443, lookup=lookup_of("93.184.216.35"))
    assert resolve("hooks.example.com", 443, lookup=own, allowed=parse_networks(["93.184.216.34"]))


def test_own_address_is_told_from_others():
    own = {answer[4][0] for answer in socket.getaddrinfo(socket.gethostname(), 80)}

    assert all(is_own_address(ip_address(one)) for one in {*own, "127.0.0.1"})
    assert not is_own_address(ip_address("93.184.216.34"))
    assert not is_own_address(ip_address("2606:2800:220:1::1"))


def test_unknown_name_is_not_found():
    def fail(*_arguments, **_options):
        raise socket.gaierror("no such host")

    with pytest.raises(HostNotFound, match=r"hooks\.example\.com was not found"):
        resolve("hooks.example.com", 443, lookup=fail)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
def test_name_that_can_not_be_written_as_dns_is_not_found(host):
    with pytest.raises(HostNotFound):
        resolve(host, 443)


def test_setting_names_networks_and_addresses():
    networks = parse_networks([" 10.0.0.0/8", "127.0.0.1", "fd00::/8", ""])

    assert list(map(str, networks)) == ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"]
    with pytest.raises(ValueError, match="has host bits set"):
        parse_networks(["10.0.0.1/8"])
