"""Client addresses behind proxies: the audit log has the real one, whatever the client claims."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from flexadmin.http import proxies
from tests.faults.acting import own_events

PROXIES = ["10.0.0.0/8", "192.0.2.80", "2001:db8:1::/48", "unix"]
CLIENT = "203.0.113.9"


@pytest.fixture
def process(rf, settings):
    """Return a function that passes a request through the middleware."""

    def ask(peer, trusted=PROXIES, **headers):
        settings.TRUSTED_PROXIES = proxies.parse_networks(trusted)
        seen = []
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = rf.get("/", headers=headers, REMOTE_ADDR=peer)
        proxies.TrustedProxyMiddleware(seen.append)(request)
        return seen[0]

    return ask


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.0.0.1", CLIENT, CLIENT),
        ("10.0.0.1", f"{CLIENT}, 10.9.9.9, 192.0.2.80", CLIENT),
        ("10.0.0.1", f"198.51.100.1, {CLIENT}", CLIENT),  # the client put the first there
        ("10.0.0.1", f"10.0.0.7, {CLIENT}", CLIENT),
        ("10.0.0.1", f"garbage, <script>, {CLIENT} , 10.0.0.2", CLIENT),
        ("10.0.0.1", f"{CLIENT}:51234", CLIENT),
        ("10.0.0.1", "[2001:db8:2::9]:443", "2001:db8:2::9"),
        ("10.0.0.1", "[2001:db8:2::9]", "2001:db8:2::9"),
        ("2001:db8:1::1", "2001:DB8:2:0::9", "2001:db8:2::9"),
        ("::ffff:10.0.0.1", f"::ffff:{CLIENT}", CLIENT),
        ("", CLIENT, CLIENT),  # over a socket of the machine's own
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", f"{CLIENT}, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", f"{CLIENT}:port", "10.0.0.1"),
        ("10.0.0.1", f"{CLIENT},", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "," * 10_000, "10.0.0.1"),
    ],
)
def test_client_is_the_rightmost_address_that_is_no_proxy(process, peer, forwarded_for, client):
    assert process(peer, X_Forwarded_For=forwarded_for).META["REMOTE_ADDR"] == client


@pytest.mark.parametrize("peer", [CLIENT, "192.0.2.81", "2001:db8:2::1", "::ffff:192.0.2.81"])
def test_headers_of_untrusted_peers_are_ignored(process, peer):
    request = process(
        peer,
        X_Forwarded_For="198.51.100.1",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="evil.example",
        X_Real_Ip="198.51.100.1",
        Forwarded="for=198.51.100.1;proto=https;host=evil.example",
    )

    assert (request.META["REMOTE_ADDR"], request.scheme, request.get_host()) == (
        peer,
        "http",
        "testserver",
    )
    assert not [name for name in request.META if "FORWARDED" in name or "REAL" in name]


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.1", ""])
def test_no_peer_is_trusted_by_default(process, peer):
    request = process(peer, [], X_Forwarded_For=CLIENT, X_Forwarded_Proto="https")

    assert (request.META["REMOTE_ADDR"], request.is_secure()) == (peer, False)


@pytest.mark.parametrize(
    ("scheme", "is_secure"),
    [("https", True), ("HTTPS ", True), ("http, https", True), ("https, http", False), ("ftp", False), ("", False)],
)  # fmt: skip
def test_scheme_is_taken_from_the_nearest_proxy(process, scheme, is_secure):
    assert process("10.0.0.1", X_Forwarded_Proto=scheme).is_secure() is is_secure


def test_forwarded_host_is_ignored(process):
    assert process("10.0.0.1", X_Forwarded_Host="evil.example").get_host() == "testserver"


@pytest.mark.parametrize(
    "wrong", ["proxy.example", "10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.0/33", "*"]
)
def test_invalid_network_is_named(wrong):
    with pytest.raises(ImproperlyConfigured, match=r"^TRUSTED_PROXIES: .* is"):
        proxies.parse_networks(["10.0.0.1", wrong])


@pytest.mark.parametrize(("trusted", "source_ip"), [(["127.0.0.1"], CLIENT), ([], "127.0.0.1")])
def test_audit_log_has_the_real_client_address(
    client_of, settings, sandbox, flow_sid, trusted, source_ip
):
    settings.TRUSTED_PROXIES = proxies.parse_networks(trusted)
    headers = {"X-Forwarded-For": f"198.51.100.1, {CLIENT}"}

    client_of("viewer").post(f"/flows/{flow_sid}/delete/", headers=headers)

    assert own_events().get().source_ip == source_ip


def test_https_claimed_by_an_untrusted_peer_is_redirected(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.TRUSTED_PROXIES = proxies.parse_networks(["10.0.0.1"])
    claimed = {"X-Forwarded-Proto": "https"}

    stranger = client.get("/nowhere/", headers=claimed)
    behind_the_proxy = client.get("/health/live/", headers=claimed, REMOTE_ADDR="10.0.0.1")

    assert (stranger.status_code, stranger["Location"]) == (301, "https://testserver/nowhere/")
    assert behind_the_proxy.status_code == 200
