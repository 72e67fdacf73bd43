"""The mail server and the site's own address, from the environment."""

from unittest import mock

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from flexadmin.mail_env import read_mail_server, read_site_url


def read(**values):
    with mock.patch.dict("os.environ", values, clear=True):
        return read_mail_server(environ.Env())


def site_url(allowed_hosts, *, is_https=True, **values):
    with mock.patch.dict("os.environ", values, clear=True):
        return read_site_url(environ.Env(), allowed_hosts, is_https=is_https)


def test_without_a_url_there_is_no_mail():
    assert not read().is_configured


@pytest.mark.parametrize(
    ("scheme", "port", "uses_tls", "uses_ssl"),
    [("smtp", 25, False, False), ("smtp+tls", 587, True, False), ("smtps", 465, False, True)],
)
def test_url_names_server_port_and_encryption(scheme, port, uses_tls, uses_ssl):
    server = read(
        EMAIL_URL=f"{scheme}://omar%40x:p%2Fw@mail.example.com", DEFAULT_FROM_EMAIL="a@example.com"
    )

    assert (server.host, server.port) == ("mail.example.com", port)
    assert (server.user, server.password) == ("omar@x", "p/w")
    assert (server.uses_tls, server.uses_ssl) == (uses_tls, uses_ssl)
    assert "p/w" not in repr(server)


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://"])
def test_url_of_no_mail_server_stops_the_start(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        read(EMAIL_URL=url, DEFAULT_FROM_EMAIL="a@example.com")


def test_missing_sender_stops_the_start():
    with pytest.raises(ImproperlyConfigured, match="DEFAULT_FROM_EMAIL"):
        read(EMAIL_URL="smtp://mail.example.com")


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        (["flows.example.com", "other"], "https://flows.example.com"),
        ([".example.com"], ""),
        (["*"], ""),
        ([], ""),
    ],
)
def test_own_address_is_the_first_host_that_is_a_name(hosts, url):
    assert site_url(hosts) == url


def test_own_address_can_be_set():
    assert site_url(["*"], SITE_URL="https://f.example.com/") == "https://f.example.com"
    assert site_url(["f.example.com"], is_https=False) == "http://f.example.com"
    with pytest.raises(ImproperlyConfigured, match="SITE_URL"):
        site_url([], SITE_URL="f.example.com")
