"""The buffering worker, with one thread: a client that blocks it would block the next request."""

import inspect
import os
import re
import selectors
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn import util
from gunicorn.config import Config
from gunicorn.http import unreader, wsgi
from gunicorn.workers import gthread

from flexadmin.http import buffered_socket, buffering
from flexadmin.http.buffered_socket import BufferedSocket
from flexadmin.http.buffering import BufferingWorker
from tests.faults.acting import wait_for
from tests.patience import HANG_TIMEOUT

THIS_FILE = Path(__file__)
BIG = 8_000_000  # bytes: more than sockets keep by themselves


def application(environ, start_response):
    """Respond with the length of the body, with a long response, or with this file."""
    if environ["PATH_INFO"] == "/file":
        start_response("200 OK", [("Content-Length", str(THIS_FILE.stat().st_size))])
        return environ["wsgi.file_wrapper"](THIS_FILE.open("rb"))
    length = 0 if environ["PATH_INFO"] == "/unread" else int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    size = BIG if environ["PATH_INFO"] == "/big" else 0
    answer = (
        b"x" * size or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {len(body)}".encode()
    )
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer[at : at + 65536] for at in range(0, len(answer), 65536)]


class Log:
    """Collects the log messages."""

    def __init__(self):
        self.records = []

    def __getattr__(self, level):
        return lambda message, *values, **_: self.records.append((level, str(message), values))


@pytest.fixture
def worker(monkeypatch):
    config = Config()
    for name, value in {
        "threads": 1,
        "keepalive": 5,
        "limit_request_fields": 60,
        "control_socket_disable": True,
    }.items():
        config.set(name, value)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        log = Log()
        made = BufferingWorker(1, os.getppid(), [listener], SimpleNamespace(), 30, config, log)
        made.wsgi, made.tpool, made.poller = (
            application,
            made.get_thread_pool(),
            selectors.DefaultSelector(),
        )
        made.method_queue.init()
        address = listener.getsockname()
        running = threading.Thread(target=made.run, daemon=True)
        running.start()
        yield SimpleNamespace(address=address, log=log, worker=made, thread=running)
        made.handle_exit(None, None)
        running.join(HANG_TIMEOUT)
        assert not running.is_alive()
        made.tmp.close()


@pytest.fixture
def connect(worker):
    opened = []

    def make(sent=b"", *, receive_buffer=0):
        line = socket.socket()
        if receive_buffer:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        line.settimeout(HANG_TIMEOUT)
        line.connect(worker.address)
        line.sendall(sent)
        opened.append(line)
        return line

    yield make
    for line in opened:
        line.close()


def request(path="/", *headers, method="GET", body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def answered(line, end):
    """Return the received bytes up to `end`, or until the connection is closed."""
    received = b""
    while not received.endswith(end) and (piece := line.recv(65536)):
        received += piece
    return received


def closed(line):
    """Return all bytes received until the connection is closed."""
    return answered(line, b"\0 never \0")


def test_request_in_pieces_gets_one_response(connect):
    line = connect()
    for piece in (b"POST /a HTTP/1.1\r\nHo", b"st: x\r\nContent-Length: 5\r", b"\n\r\n12", b"345"):
        line.sendall(piece)

    assert answered(line, b"POST /a 5").startswith(b"HTTP/1.1 200 OK")


def test_pipelined_requests_are_answered_in_order(connect):
    both = request("/a", "Content-Length: 3", method="POST", body=b"123") + request("/b")
    line = connect(both + b"GET /c HT")

    first = answered(line, b"GET /b 0")
    line.sendall(b"TP/1.1\r\nHost: x\r\n\r\n")

    assert b"POST /a 3" in first
    assert b"GET /c 0" in answered(line, b"GET /c 0")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\n",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: ",
        request("/", "Content-Length: 100000", method="POST", body=b"1"),
        request("/", "Content-Length: 100000", "Expect: 100-continue", method="POST"),
    ],
    ids=["nothing", "line", "blank", "header", "body", "continue"],
)
def test_slow_requests_block_no_other_client(connect, begun):
    for _ in range(20):
        connect(begun)

    assert answered(connect(request("/quick")), b"GET /quick 0")


def test_slow_readers_block_no_other_client(connect):
    for _ in range(5):
        connect(request("/big"), receive_buffer=4096)

    assert answered(connect(request("/quick")), b"GET /quick 0")


def test_slow_reader_gets_the_whole_response(connect):
    line = connect(request("/big"), receive_buffer=4096)
    assert answered(
        connect(request("/quick")), b"GET /quick 0"
    )  # the thread is done with the big one

    line.sendall(request("/next", "Connection: close"))

    head, _, body = closed(line).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body[:BIG] == b"x" * BIG
    assert body[BIG:].endswith(b"GET /next 0")


def test_file_arrives_whole(connect, monkeypatch):
    monkeypatch.setattr(buffered_socket, "CHUNK_SIZE", 1000)
    line = connect(request("/file") + request("/next", "Connection: close"))

    _head, _, body = closed(line).partition(b"\r\n\r\n")
    assert body.startswith(THIS_FILE.read_bytes() + b"HTTP/1.1 200 OK")
    assert body.endswith(b"GET /next 0")


def test_buffered_socket_has_every_method_that_gunicorn_calls():
    sources = [inspect.getsource(module) for module in (gthread, wsgi, unreader, util)]
    called = set(re.findall(r"\bsock\.(\w+)\(", "".join(sources)))
    of_other_sockets = {"do_handshake", "ssl_wrap_socket", "is_http2_negotiated"}  # with TLS only

    assert {"recv", "sendall", "sendfile"} <= called
    assert {
        name for name in called - of_other_sockets if not hasattr(BufferedSocket, name)
    } == set()


def test_unsent_response_is_in_a_file_that_the_connection_closes(worker, connect):
    line = connect(request("/big"), receive_buffer=4096)
    wait_for(lambda: worker.worker._waiting)
    line.close()

    wait_for(lambda: worker.worker.nr_conns == 0)


def test_body_that_is_too_large_is_not_waited_for(connect, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    line = connect(request("/unread", "Content-Length: 1001", method="POST"))

    received = closed(line)

    assert b"POST /unread 0" in received
    assert b"Connection: close" in received


def test_body_without_a_length_is_not_waited_for(connect):
    line = connect(request("/unread", "Transfer-Encoding: chunked", method="POST"))

    assert b"Connection: close" in closed(line)


def test_expect_continue_is_answered_once(connect):
    line = connect(request("/a", "Content-Length: 3", "Expect: 100-continue", method="POST"))
    reply = answered(line, b"\r\n\r\n")
    line.sendall(b"123")

    assert reply == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answered(line, b"POST /a 3").startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("/", "No colon"), b"400"),
        (request("/", f"X-Long: {'x' * 9000}"), b"431"),
        (request("/", *(f"X-{number}: 1" for number in range(61))), b"431"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
        (request("/", "Content-Length: 1", "Content-Length: 2", method="POST"), b"400"),
        (request("/", "Content-Length: no", method="POST"), b"400"),
        (
            request(
                "/", "Content-Length: 3", "Transfer-Encoding: chunked", method="POST", body=b"123"
            ),
            b"400",
        ),
    ],
    ids=["no colon", "long", "many", "without an end", "two lengths", "no length", "two framings"],
)
def test_malformed_request_is_refused_and_the_connection_closed(connect, sent, status):
    received = closed(connect(sent))

    assert received.startswith(b"HTTP/1.1 " + status)
    assert answered(connect(request("/quick")), b"GET /quick 0")


@pytest.mark.parametrize(
    ("patience", "sent"),
    [
        ("HEADER_SECONDS", b"GET / HTTP/1.1\r\nX: "),
        ("BODY_SECONDS", request("/", "Content-Length: 100000", method="POST", body=b"1")),
    ],
)
def test_request_that_does_not_arrive_in_time_is_refused(
    worker, connect, monkeypatch, patience, sent
):
    monkeypatch.setattr(buffering, patience, 0)

    received = closed(connect(sent))

    assert received.startswith(b"HTTP/1.1 408 Request Timeout")
    assert (
        "info",
        "A request from %s did not arrive in time.",
        ("127.0.0.1",),
    ) in worker.log.records


def test_connection_of_a_stalled_reader_is_closed(worker, connect, monkeypatch):
    monkeypatch.setattr(buffering, "SEND_SECONDS", 0)
    monkeypatch.setattr(buffering, "MIN_SEND_RATE", 10**12)

    connect(request("/big"), receive_buffer=4096)

    wait_for(lambda: worker.worker._waiting)
    wait_for(lambda: worker.worker.nr_conns == 0)


def test_connection_of_a_client_that_never_closes_is_dropped(worker, connect, monkeypatch):
    """gunicorn alone would wait for it, and handle no other client."""
    monkeypatch.setattr(buffering, "LINGER_SECONDS", 60)
    for _ in range(20):
        assert answered(connect(request("/last", "Connection: close")), b"GET /last 0")

    assert answered(connect(request("/quick")), b"GET /quick 0")
    monkeypatch.setattr(buffering, "LINGER_SECONDS", 0)


def test_total_size_of_requests_is_limited(worker, connect, monkeypatch):
    monkeypatch.setattr(buffering, "MAX_RECEIVED_BYTES", 1000)
    most = request("/", "Content-Length: 100000", method="POST", body=b"1" * 900)

    received = closed(connect(most + b"1" * 900))

    assert received.startswith(b"HTTP/1.1 503")
    wait_for(lambda: worker.worker._received_bytes == 0)
    assert answered(
        connect(request("/a", "Content-Length: 3", method="POST", body=b"123")), b"POST /a 3"
    )


def test_thread_waits_when_the_unsent_response_is_too_large(connect, monkeypatch):
    monkeypatch.setattr(buffered_socket, "MAX_UNSENT_BYTES", 100_000)
    line = connect(request("/big", "Connection: close"), receive_buffer=4096)

    _, _, body = closed(line).partition(b"\r\n\r\n")

    assert body == b"x" * BIG


def test_shutdown_waits_for_no_slow_client(worker, connect, monkeypatch):
    monkeypatch.setattr(buffering, "STOP_SECONDS", 0)
    lines = [
        connect(request("/", "Content-Length: 9", method="POST")),
        connect(b"GET / HTTP/1.1\r\n"),
        connect(),
    ]
    assert answered(connect(request("/quick")), b"GET /quick 0")  # so the others are known

    worker.worker.handle_exit(None, None)

    assert [closed(line)[:12] for line in lines] == [b"HTTP/1.1 408", b"HTTP/1.1 408", b""]
    worker.thread.join(HANG_TIMEOUT)
    assert not worker.thread.is_alive()


def test_connection_of_a_client_that_left_is_dropped(worker, connect):
    for sent in (
        b"",
        b"GET / HTTP/1.1\r\n",
        request("/", "Content-Length: 9", method="POST", body=b"1"),
    ):
        connect(sent).close()

    wait_for(lambda: worker.worker.nr_conns == 0)
    assert worker.worker._received_bytes == 0
