"""A post to a webhook: only to the checked address, without redirects, within its time and size."""

import base64
import logging
import socket
import threading
from urllib.parse import unquote

import pytest
from twilio.request_validator import RequestValidator

from flows.outbound_http import pinned_post
from flows.outbound_http.addresses import parse_networks
from flows.outbound_http.failures import AnswerLost, PostFailed, RefusedAddress
from flows.outbound_http.pinned_post import MAX_BODY_BYTES, PostOptions, called_url, post
from flows.webhook_tests import signature
from tests.flows.outbound_http.certificates import make_server_context
from tests.flows.outbound_http.test_addresses import lookup_of
from tests.flows.twilio.raw_server import SHORT, RawServer
from tests.flows.webhook_tests.receiver import LOOPBACK, Receiver

FIELDS = {"Body": "Grüße & mehr", "EventType": "onMessageSent"}
TOKEN = "0123456789abcdef0123456789abcdef"
AT_HOME = PostOptions(allowed_networks=LOOPBACK)


def post_to(url, options=AT_HOME, headers=()):
    return post(url, FIELDS, dict(headers), options)


def failure_of(url, options=AT_HOME):
    with pytest.raises(PostFailed) as caught:
        post_to(url, options)
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/in",
        "http://[::1]:{port}/in",
        "http://10.0.0.1:{port}/in",
        "http://169.254.169.254:{port}/latest/meta-data/",
        "http://localhost:{port}/in",
        "http://[::ffff:127.0.0.1]:{port}/in",
        "http://0.0.0.0:{port}/in",
    ],
)
def test_private_address_is_refused_and_receives_nothing(url):
    with Receiver() as receiver:
        failure = failure_of(url.format(port=receiver.port), PostOptions())

    assert isinstance(failure, RefusedAddress)
    assert not failure.may_have_arrived
    assert receiver.posts == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
def test_name_that_resolves_to_a_private_address_is_refused(address):
    with Receiver() as receiver:
        options = PostOptions(lookup=lookup_of(address))
        failure = failure_of(f"http://hooks.example.com:{receiver.port}/in", options)

    assert isinstance(failure, RefusedAddress)
    assert receiver.posts == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_a_private_address_is_not_followed(status):
    with Receiver() as internal:
        headers = {"Location": internal.url}
        with Receiver(status=status, headers=headers) as receiver:
            answer = post_to(receiver.url)

    assert answer.status == status
    assert len(receiver.posts) == 1
    assert internal.posts == []


def test_name_that_changes_its_address_after_the_check_reaches_the_checked_one(monkeypatch):
    """The name has an allowed address when it is checked, and a forbidden one ever after."""
    real_lookup, lookups = socket.getaddrinfo, []

    def rebinding_lookup(host, port, *arguments, **options):
        if host not in ("hooks.example.com", b"hooks.example.com"):
            return real_lookup(host, port, *arguments, **options)
        lookups.append(host)
        address = "127.0.0.1" if len(lookups) == 1 else "127.0.0.2"
        return real_lookup(address, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding_lookup)
    with Receiver() as receiver, Receiver(address="127.0.0.2", port=receiver.port) as internal:
        post_to(f"http://hooks.example.com:{receiver.port}/in")

    assert internal.posts == []
    assert [one.headers["Host"] for one in receiver.posts] == [f"hooks.example.com:{receiver.port}"]
    assert len(lookups) == 1


def test_answer_has_status_and_body():
    with Receiver(status=418, body="Thé".encode()) as receiver:
        answer = post_to(receiver.url)

    assert (answer.status, answer.body.decode()) == (418, "Thé")
    assert receiver.posts[0].form == FIELDS


@pytest.mark.parametrize(
    "path", ["/in", "/in?team=care&x=a%20b", "/grüße?q=ü&empty=", "/a|b?c=[d]#fragment"]
)
def test_signature_is_verified_by_twilios_own_validator(path):
    with Receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.port}{path}"
        signed = signature.sign(called_url(url), FIELDS, TOKEN)
        post_to(url, headers={signature.HEADER: signed})

    [received] = receiver.posts
    seen_url = f"http://{received.headers['Host']}{received.path}"
    validator = RequestValidator(TOKEN)
    assert validator.validate(seen_url, received.form, received.headers[signature.HEADER])
    assert not validator.validate(seen_url, {**received.form, "Body": "x"}, signed)
    assert not RequestValidator("f" * 32).validate(seen_url, received.form, signed)


def test_login_in_the_url_becomes_basic_authentication_and_is_not_signed():
    with Receiver() as receiver:
        url = f"http://bot:s%20ecret@127.0.0.1:{receiver.port}/in"
        post_to(url)

    assert receiver.posts[0].headers["Authorization"] == "Basic Ym90OnMgZWNyZXQ="
    assert pinned_post.authorization(url) == "Ym90OnMgZWNyZXQ="
    assert called_url(url) == f"http://127.0.0.1:{receiver.port}/in"


@pytest.mark.parametrize("password", ["gr%C3%BC%C3%9Fe", "grüße", "%E2%82%AC"])
def test_login_can_have_any_character(password):
    with Receiver() as receiver:
        url = f"http://bot:{password}@127.0.0.1:{receiver.port}/in"
        post_to(url)

    sent = receiver.posts[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == f"bot:{unquote(password)}"
    assert pinned_post.authorization(url) == sent


def test_proxies_and_logins_of_the_environment_are_not_used(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        post_to(receiver.url)

    assert (len(receiver.posts), proxy.posts) == (1, [])
    assert receiver.posts[0].headers["Authorization"] is None


def test_body_is_bounded():
    with Receiver(body=b"x" * (MAX_BODY_BYTES * 4)) as receiver:
        answer = post_to(receiver.url)

    assert len(answer.body) == MAX_BODY_BYTES


def answer_with(raw):
    """Return a handler that answers with these bytes."""

    def serve(connection, _number):
        connection.recv(65_536)
        connection.sendall(raw)

    return serve


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nno-colon-here\r\nX: y\r\nContent-Length: 2\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\n continued\r\nContent-Length: 2\r\n\r\nOK",
    ],
    ids=["good headers", "line without a colon", "continuation of nothing"],
)
def test_url_is_not_logged(caplog, raw):
    caplog.set_level(logging.DEBUG)
    with RawServer(answer_with(raw)) as server:
        answer = post_to(f"http://127.0.0.1:{server.port}/secret-path?token=secret-value")

    assert answer.status == 200
    assert caplog.text == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 60_000 + b"\r\n") * 50 + b"\r\nOK",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"1;" + b"x" * 60_000 + b"\r\nA\r\n") * 50,
    ],
    ids=["headers", "answers before the last", "chunks"],
)
def test_answer_is_bounded_in_all_its_parts(raw):
    with RawServer(answer_with(raw)) as server:
        failure = failure_of(f"http://127.0.0.1:{server.port}/in")

    assert isinstance(failure, AnswerLost)


def test_body_in_chunks_is_read():
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    with RawServer(answer_with(raw)) as server:
        assert post_to(f"http://127.0.0.1:{server.port}/in").body == b"abc"


def test_body_that_ends_early_is_lost():
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nOK"
    with RawServer(answer_with(raw)) as server:
        assert isinstance(failure_of(f"http://127.0.0.1:{server.port}/in"), AnswerLost)


def test_connection_is_given_up_at_the_deadline(monkeypatch):
    """The time to connect is what is left, if that is less than its own limit."""
    timeouts = []
    real_connection = pinned_post.DeadlineHTTPConnection

    def record(*arguments, timeout):
        timeouts.append(timeout)
        return real_connection(*arguments, timeout=timeout)

    monkeypatch.setattr(pinned_post, "DeadlineHTTPConnection", record)
    with Receiver() as receiver:
        post_to(receiver.url, PostOptions(allowed_networks=LOOPBACK, deadline=2.0))
        post_to(receiver.url)

    assert timeouts[0] <= 2.0
    assert timeouts[1] == pinned_post.CONNECT_TIMEOUT


def drip(connection, _number):
    """Answer a byte at a time, until the other side hangs up."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    pause = threading.Event()
    while True:
        connection.sendall(b".")
        pause.wait(0.05)


def stay_silent(connection, _number):
    while connection.recv(65_536):
        pass


@pytest.mark.parametrize("serve", [drip, stay_silent])
def test_post_ends_at_its_deadline(serve):
    with RawServer(serve) as server:
        options = PostOptions(allowed_networks=LOOPBACK, deadline=SHORT)
        failure = failure_of(f"http://127.0.0.1:{server.port}/in", options)

    assert str(failure).startswith("No complete answer within 1 s.")
    assert failure.may_have_arrived


def test_deadline_covers_the_lookup(monkeypatch):
    clock = iter([0.0, 15.0])
    monkeypatch.setattr(pinned_post.time, "monotonic", lambda: next(clock))
    options = PostOptions(allowed_networks=LOOPBACK, lookup=lookup_of("127.0.0.1"))

    failure = failure_of("http://hooks.example.com:9/in", options)

    assert "in time, so nothing was sent" in str(failure)


def answer_nonsense(connection, _number):
    connection.recv(65_536)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def hang_up(connection, _number):
    connection.recv(65_536)


@pytest.mark.parametrize("serve", [answer_nonsense, hang_up])
def test_connection_without_an_http_answer_is_lost(serve):
    with RawServer(serve) as server:
        failure = failure_of(f"http://127.0.0.1:{server.port}/in")

    assert str(failure).startswith("The connection was lost before a valid HTTP answer came.")
    assert failure.may_have_arrived


def test_refused_connection_says_that_nothing_was_sent():
    with Receiver() as receiver:
        url = receiver.url
    failure = failure_of(url)

    assert "didn't accept the connection, so nothing was sent" in str(failure)
    assert not failure.may_have_arrived


def test_next_address_is_tried_if_the_first_one_can_not_be_reached():
    with Receiver() as receiver:
        options = PostOptions(
            allowed_networks=parse_networks(["127.0.0.0/8"]),
            lookup=lookup_of("127.0.0.3", "127.0.0.1"),
        )
        answer = post_to(f"http://hooks.example.com:{receiver.port}/in", options)

    assert answer.status == 200
    assert len(receiver.posts) == 1


def test_certificate_is_checked_for_the_name_and_sni_has_it(tmp_path):
    names = []
    context = make_server_context(tmp_path, "hooks.example.com")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    options = PostOptions(
        allowed_networks=LOOPBACK,
        lookup=lookup_of("127.0.0.1"),
        ca_file=str(tmp_path / "ca.pem"),
    )
    with Receiver(context=context) as receiver:
        answer = post_to(f"https://hooks.example.com:{receiver.port}/in", options)
        failure = failure_of(f"https://other.example.com:{receiver.port}/in", options)

    assert answer.status == 200
    assert names == ["hooks.example.com", "other.example.com"]
    assert str(failure).startswith("The TLS certificate of other.example.com is invalid")
    assert len(receiver.posts) == 1


def test_certificate_of_an_unknown_authority_is_refused(tmp_path):
    context = make_server_context(tmp_path, "hooks.example.com")
    options = PostOptions(allowed_networks=LOOPBACK, lookup=lookup_of("127.0.0.1"))
    with Receiver(context=context) as receiver:
        failure = failure_of(f"https://hooks.example.com:{receiver.port}/in", options)

    assert "is invalid, so nothing was sent" in str(failure)
    assert receiver.posts == []


def test_server_without_tls_is_named():
    with RawServer(answer_nonsense) as server:
        failure = failure_of(f"https://127.0.0.1:{server.port}/in")

    assert str(failure).startswith("No TLS connection with 127.0.0.1 was possible")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://hooks.example.com/in", "Twilio only calls https:// and http://"),
        ("https://hooks.example.com/a b", "contains a space"),
        ("https://", "has no host"),
        ("https://.example.com/", "is not one that can be called"),
    ],
)
def test_url_that_can_not_be_called_is_named(url, sentence):
    assert sentence in str(failure_of(url))
