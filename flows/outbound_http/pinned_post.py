"""A POST to a URL that a user chose, only to an address that was checked before.

The host is looked up once, and the connection goes to the address that was checked. So a name can't
have another address when it is connected to. The host's name stays in the Host header, in TLS's SNI
and in the check of the certificate. Redirects are not followed, and proxies, cookies and .netrc of
the environment are not used. The answer is bounded: its body is cut, and too many headers are an
error. It is read by http.client, because urllib3 logs an answer with bad headers, and its URL.

The post has a deadline. Only the look-up can't be interrupted: it takes as long as the system's
resolver, and its time counts.
"""

from __future__ import annotations

import io
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import BinaryIO, Final
from urllib.parse import SplitResult, unquote, urlsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection

from flows.outbound_http import failures
from flows.outbound_http.addresses import IPNetwork, Lookup, resolve
from flows.twilio.deadline import Call, DeadlineHTTPConnection, DeadlineHTTPSConnection
from flows.twilio.webhook_urls import find_url_problem

DEADLINE: Final = 15.0  # seconds for the whole post
CONNECT_TIMEOUT: Final = 5.0  # seconds to connect, and again for TLS
MAX_HEADER_BYTES: Final = 64 * 1024  # with the status line, and those of answers before the last
MAX_BODY_BYTES: Final = 64 * 1024
MAX_FRAMED_BYTES: Final = 8 * MAX_BODY_BYTES  # of a body, with the sizes of its chunks
MAX_ADDRESSES: Final = 3  # of a host that are tried, if the first ones can't be reached
_CONNECTION_ERRORS: Final = (OSError, HTTPException, urllib3.exceptions.HTTPError)
Content = Mapping[str, str] | bytes  # form fields, or a body
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. The body is cut at `MAX_BODY_BYTES`."""

    status: int
    body: bytes
    retry_after: str = ""  # the header


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOptions:
    """The parts of a post that tests and settings change."""

    allowed_networks: tuple[IPNetwork, ...] = ()
    lookup: Lookup | None = None
    deadline: float = DEADLINE
    ca_file: str = ""  # in place of the authorities that requests trusts


def called_url(url: str) -> str:
    """Return a URL as the handler sees it called: encoded, without a login and a fragment.

    Raises `InvalidUrl`.
    """
    parts = urlsplit(_prepare(url, {}, {}).url or "")
    return parts._replace(netloc=_host_header(parts), fragment="").geturl()


def post(
    url: str,
    content: Content,
    headers: Mapping[str, str],
    options: PostOptions | None = None,
) -> Answer:
    """Post form fields, or a body, to a URL and return the answer, whatever its status.

    A login in the URL becomes HTTP Basic authentication. Raises `PostFailed`.
    """
    options = options or PostOptions()
    ends_at = time.monotonic() + options.deadline
    request = _prepare(url, content, headers)
    parts = urlsplit(request.url or "")
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    addresses = resolve(host, port, allowed=options.allowed_networks, lookup=options.lookup)
    return _post_to_first(addresses[:MAX_ADDRESSES], request, ends_at, options)


def _prepare(url: str, content: Content, headers: Mapping[str, str]) -> requests.PreparedRequest:
    """Return the request. Without a session it has no cookies and no login from .netrc."""
    problem = find_url_problem(url)
    if problem is not None:
        raise failures.InvalidUrl(problem.sentence)
    data = content if isinstance(content, bytes) else dict(content)
    try:
        request = requests.Request(
            "POST", url, data=data, headers=dict(headers), auth=_no_login
        ).prepare()
    except (requests.RequestException, ValueError):
        raise failures.InvalidUrl("is not one that can be called.") from None
    login = _login_of(url)
    if login is not None:
        HTTPBasicAuth(*login)(request)
    request.headers["Host"] = _host_header(urlsplit(request.url or ""))
    request.headers["Accept-Encoding"] = "identity"  # a compressed body could be huge
    return request


def authorization(url: str) -> str:
    """Return the credentials of the Authorization header that a login in the URL becomes, or ""."""
    return str(_prepare(url, {}, {}).headers.get("Authorization", "")).removeprefix("Basic ")


def _login_of(url: str) -> tuple[bytes, bytes] | None:
    """Return the username and the password of a URL in UTF-8, as browsers send them."""
    user_info = urlsplit(url).netloc.rpartition("@")[0]
    if not user_info:
        return None
    username, _, password = user_info.partition(":")
    return unquote(username).encode(), unquote(password).encode()


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from using a URL's login, which it can only send in Latin-1."""
    return request


def _host_header(parts: SplitResult) -> str:
    """Return the host with its port, without a login."""
    return parts.netloc.rpartition("@")[2]


def _post_to_first(
    addresses: Iterable[str],
    request: requests.PreparedRequest,
    ends_at: float,
    options: PostOptions,
) -> Answer:
    """Post to the first of these addresses that can be connected to."""
    host = urlsplit(request.url or "").hostname or ""
    failure: failures.PostFailed = failures.ConnectTimeout(host)  # the look-up took too long
    for address in addresses:
        if time.monotonic() >= ends_at:
            break
        with Call(ends_at) as call:
            try:
                return _exchange(request, address, call, options)
            except _CONNECTION_ERRORS as error:
                failure = _explain(call, error, host, options.deadline)
        if failure.may_have_arrived or isinstance(failure, failures.CertificateRefused):
            break
    raise failure


def _exchange(
    request: requests.PreparedRequest, address: str, call: Call, options: PostOptions
) -> Answer:
    connection = _open_connection(urlsplit(request.url or ""), address, call, options)
    try:
        connection.request(
            "POST",
            request.path_url,
            body=request.body,
            headers=request.headers,
            preload_content=False,
        )
        answer = _read_answer(connection, call)
    finally:
        connection.close()
    if call.is_late:  # the body ends where the deadline cut it
        raise TimeoutError("the answer came too late")
    return answer


def _read_answer(connection: HTTPConnection, call: Call) -> Answer:
    """Read the answer to the request that was sent."""
    connection.sock.settimeout(_seconds_left(call))
    with HTTPResponse(connection.sock, method="POST") as response:
        reader = _BoundedReader(response.fp)
        response.fp = io.BufferedReader(reader)
        response.begin()
        reader.bytes_left = MAX_FRAMED_BYTES
        body = response.read(MAX_BODY_BYTES)
        if response.length and len(body) < MAX_BODY_BYTES:
            raise IncompleteRead(body, response.length)
        return Answer(response.status, body, response.getheader("Retry-After") or "")


class _BoundedReader(io.RawIOBase):
    """The bytes of an answer, at most `bytes_left`. Raises HTTPException if there are more."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self.bytes_left = MAX_HEADER_BYTES
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.bytes_left <= 0:
            raise HTTPException("the answer has too many bytes")
        data = self._source.read1(min(len(buffer), self.bytes_left))  # type: ignore[attr-defined]
        buffer[: len(data)] = data
        self.bytes_left -= len(data)
        return len(data)

    def close(self) -> None:
        self._source.close()
        super().close()


def _seconds_left(call: Call) -> float:
    return max(0.001, call.deadline - time.monotonic())


def _open_connection(
    parts: SplitResult, address: str, call: Call, options: PostOptions
) -> HTTPConnection:
    """Return a connection to the address, which checks the certificate for the host's name."""
    port = parts.port or _PORTS[parts.scheme]
    timeout = min(CONNECT_TIMEOUT, _seconds_left(call))
    if parts.scheme == "http":
        return DeadlineHTTPConnection(address, port, timeout=timeout)
    return DeadlineHTTPSConnection(
        address,
        port,
        timeout=timeout,
        server_hostname=parts.hostname,
        cert_reqs="CERT_REQUIRED",
        ca_certs=options.ca_file or DEFAULT_CA_BUNDLE_PATH,
    )


def _explain(call: Call, error: Exception, host: str, deadline: float) -> failures.PostFailed:
    """Return the failure that an error of the connection means."""
    if not call.is_unsent:
        if call.is_late or isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
            return failures.AnswerTimeout(deadline)
        return failures.AnswerLost()
    if isinstance(error, ssl.SSLCertVerificationError):
        return failures.CertificateRefused(host)
    if isinstance(error, ssl.SSLError):
        return failures.TlsFailed(host)
    if isinstance(error, urllib3.exceptions.NewConnectionError):  # also a ConnectTimeoutError
        return failures.ConnectionImpossible(host)
    return failures.ConnectTimeout(host)
