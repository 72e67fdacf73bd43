"""`FlexClient`: the Flex API's FlexFlows, one method per endpoint. Upstream is `https://flex-api.twilio.com/v1`
as Twilio's reference describes it.

Methods take and give flat snapshots (`flows.twilio.flex.flex_flow`). Each either returns what Twilio said or raises
one of `flows.twilio.errors`: `NeverSent`, `Refused` or `Unknown`. It keeps within Twilio's rates and within
a deadline for the whole call, retries included, and logs no credential and no personal field.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3
from requests.auth import HTTPBasicAuth

from flows.twilio import paging, transport
from flows.twilio.deadline import Call
from flows.twilio.errors import (
    ConnectionFailed,
    FlexError,
    NotSent,
    OutcomeUnknown,
    RateLimitTimeout,
    RequestRefused,
)
from flows.twilio.flex import flex_flow
from flows.twilio.flex.flex_flow import Snapshot
from flows.twilio.paging import PAGE_SIZE, Pagination
from flows.twilio.rates import LATE_TOLERANCE, PROCESS_RATE_LIMITER, RateLimiter
from flows.twilio.responses import (
    ApiResponse,
    extract_flow,
    extract_written_flow,
    parse_flow,
    parse_response,
    unexpected_response,
)

log = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 16 * 1024 * 1024  # bytes; a page of 1,000 flows has some 1 MB
# Bytes that are read at a time; between two, another thread may take over for a while.
CHUNK_BYTES: Final = 512 * 1024
CONNECT_TIMEOUT: Final = 5.0  # seconds
MAX_ATTEMPTS: Final = 4
MAX_BOOKINGS: Final = 3  # at most, where each was come to late
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
WRITE_OPERATIONS: Final = frozenset({"create", "update", "delete"})
IDEMPOTENT_OPERATIONS: Final = frozenset({"list", "fetch", "delete"})
REQUEST_TIMEOUT: Final = 408  # the one status below 500 that is worth asking again

_Page = tuple[ApiResponse, Any]  # a page, and its link to the next
_sessions = transport.ThreadSessions()


class FlexClient:
    """A client of one account's Flex Flows. Making one costs nothing: the connections that its reads go out
    on are the thread's, and stay open (`flows.twilio.transport`).

    `auth` is (API key, secret) or (account SID, auth token). `deadline` is in seconds and holds for one
    method call, or for one page of a listing; `patience`, at most as long, is how far off the call's turn
    within the account's `rates` may be. `rate_limits=False` is for the sandbox only. `observe` is told of
    each try that may have left: its verb, what is known of it (succeeded, refused, throttled, unknown,
    never_sent), and the seconds that it took.
    """

    def __init__(
        self,
        *,
        base_url: str,
        account_sid: str,
        auth: tuple[str, str],
        deadline: float = 15.0,
        patience: float | None = None,
        rate_limits: bool = True,
        rates: RateLimiter = PROCESS_RATE_LIMITER,
        sleep: Callable[[float], None] = time.sleep,
        observe: Callable[[str, str, float], None] = lambda *_: None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.account_sid = account_sid
        self.deadline = deadline
        self.patience = deadline if patience is None else patience
        name, secret = auth
        self._auth = HTTPBasicAuth(
            name.encode(), secret.encode()
        )  # requests alone would insist on Latin-1
        # A proxy of the environment's is for the way out, not for a sandbox on this machine.
        host = urlsplit(self.base_url).hostname or ""
        self._proxies = {"no_proxy": host} if host in LOOPBACK_HOSTS else None
        self._rate_limits = rate_limits
        self._rates = rates
        self._sleep = sleep
        self._observe = observe

    def close(self) -> None:
        """Close the connections that the current thread keeps."""
        _sessions.close()

    def list(
        self, *, friendly_name: str | None = None, page_size: int = PAGE_SIZE
    ) -> Iterator[Snapshot]:
        """Every flow of the account, page by page; with `friendly_name`, those that Twilio says match. The first page
        is asked for at once, each other one while the one before it is looked at."""
        trail = Pagination(f"{self.base_url}/FlexFlows")
        session = self._thread_session()  # of the thread that asks, not of the one that fetches
        thread = ThreadPoolExecutor(1)

        def ask(link: Any) -> Future[_Page]:
            # The context has what the log's lines say of us.
            return thread.submit(copy_context().run, self._next_page, session, trail, link)

        sizes = paging.page_sizes_to_try(page_size)
        first = thread.submit(
            copy_context().run, self._first_page, session, trail, sizes, friendly_name
        )
        return _iterate_flows(thread, ask, first)

    def fetch(self, sid: str) -> Snapshot:
        """The flow as it is at Twilio now."""
        return extract_flow(self._call("fetch", "GET", self._url(sid)), sid)

    def create(self, values: Mapping[str, Any]) -> ApiResponse:
        """Makes a flow of these fields. It is never repeated but after a 429: the API has no idempotency key."""
        url = f"{self.base_url}/FlexFlows"
        answer = self._call("create", "POST", url, flex_flow.to_parameters(values))
        return replace(answer, snapshot=extract_written_flow(answer, self.account_sid))

    def update(self, sid: str, values: Mapping[str, Any]) -> ApiResponse:
        """Changes just these fields; None or "" unsets one."""
        answer = self._call("update", "POST", self._url(sid), flex_flow.to_parameters(values))
        return replace(answer, snapshot=extract_written_flow(answer, self.account_sid, sid))

    def delete(self, sid: str) -> ApiResponse:
        """Deletes the flow. Twilio's 404 after a try whose answer was lost means that this one went through."""
        return replace(self._call("delete", "DELETE", self._url(sid)), snapshot={})

    def _url(self, sid: str) -> str:
        if not flex_flow.is_sid("FO", sid):
            raise ValueError("not the SID of a Flex Flow")
        return f"{self.base_url}/FlexFlows/{sid}"

    def _first_page(
        self,
        session: requests.Session,
        trail: Pagination,
        sizes: Sequence[int],
        friendly_name: str | None,
    ) -> _Page:
        """The first page of a listing, of the largest of these sizes that is not refused for its size."""
        size, *smaller = sizes
        by_name = {} if friendly_name is None else {"FriendlyName": friendly_name}
        address = trail.begin({"PageSize": str(size), **by_name}, flows_per_page=size)
        try:
            return self._page(session, trail, address)
        except FlexError as error:
            if not smaller or not paging.is_page_size_refused(error):
                raise
        return self._first_page(session, trail, smaller, friendly_name)

    def _next_page(self, session: requests.Session, trail: Pagination, link: Any) -> _Page:
        return self._page(session, trail, trail.resolve_link(link))

    def _page(self, session: requests.Session, trail: Pagination, address: str) -> _Page:
        page = self._call("list", "GET", address, session=session)
        flows, meta = page.snapshot.get("flex_flows"), page.snapshot.get("meta")
        if not isinstance(flows, list) or not isinstance(meta, dict):
            raise unexpected_response("Twilio's answer is not a page of Flex Flows", page)
        trail.note(flows)
        return page, meta.get("next_page_url")

    def _call(
        self,
        verb: str,
        method: str,
        url: str,
        data: Mapping[str, str] | None = None,
        session: requests.Session | None = None,
    ) -> ApiResponse:
        """One endpoint, repeated where that is safe, within one deadline."""
        until = time.monotonic() + self.deadline
        lost: OutcomeUnknown | None = None  # an earlier try that may have been carried out

        def once() -> ApiResponse:
            nonlocal lost
            try:
                return self._send_once(verb, method, url, data, until, session)
            except OutcomeUnknown as error:
                lost = error
                raise
            except RequestRefused as refused:
                # In Twilio's own words, which have a code: a proxy's 404 says nothing about the flow.
                if verb == "delete" and lost is not None and refused.status == 404 and refused.code:
                    return ApiResponse({}, refused.status, refused.request_id)
                raise

        try:
            return tenacity.Retrying(
                retry=tenacity.retry_if_exception(lambda error: _can_retry(verb, error)),
                wait=_retry_delay,
                stop=lambda state: (
                    state.attempt_number >= MAX_ATTEMPTS
                    or time.monotonic() + _retry_delay(state) >= until
                ),
                sleep=self._sleep,
                reraise=True,
            )(once)
        except (RequestRefused, NotSent):
            if verb in WRITE_OPERATIONS and lost is not None:
                raise lost from None  # the last try changed nothing; an earlier one may have
            raise

    def _send_once(
        self,
        verb: str,
        method: str,
        url: str,
        data: Mapping[str, str] | None,
        until: float,
        kept: requests.Session | None = None,
    ) -> ApiResponse:
        self._wait_for_turn(verb, until)
        started = time.monotonic()
        if started >= until:
            raise NotSent("there was no time left to send the request")
        status: int | str = "no answer"
        request_id, result = "", "unknown"
        # A write has a connection of its own: one that was kept could be closed under it, and its fate unknown.
        session = (
            transport.new_session() if verb in WRITE_OPERATIONS else kept or self._thread_session()
        )
        try:
            with Call(until) as call:
                response, body = self._exchange(session, call, method, url, data)
            status, request_id = (
                response.status_code,
                response.headers.get("Twilio-Request-Id", "")[:64],
            )
            answer = parse_response(verb, response.status_code, response.headers, body, request_id)
            result = "succeeded"
            return ApiResponse(answer, response.status_code, request_id)
        except NotSent:
            result = "never_sent"
            raise
        except RequestRefused as error:
            result = "throttled" if error.status == 429 else "refused"
            raise
        finally:
            if verb in WRITE_OPERATIONS:
                session.close()
            seconds = time.monotonic() - started
            path = urlsplit(url).path
            log.info(
                "%s %s %s %d ms %s", method, path, status, round(seconds * 1000), request_id or "-"
            )
            self._observe(verb, result, seconds)

    def _exchange(
        self,
        session: requests.Session,
        call: Call,
        method: str,
        url: str,
        data: Mapping[str, str] | None,
    ) -> tuple[requests.Response, bytes]:
        remaining = max(0.05, call.deadline - time.monotonic())
        try:
            with session.request(
                method,
                url,
                data=data,
                auth=self._auth,
                timeout=(min(CONNECT_TIMEOUT, remaining), remaining),
                allow_redirects=False,
                proxies=self._proxies,
                stream=True,
            ) as response:
                body = _read_body(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _connection_error(
                call, error
            ) from None  # the original can quote the address and what was sent
        if call.is_late:
            raise OutcomeUnknown("Twilio did not answer in time")
        return response, body

    def _wait_for_turn(self, verb: str, until: float) -> None:
        """Wait for this call's turn within the account's rates. Whoever comes late to a turn, because the
        machine is busy, takes another: the next one's may follow closely."""
        if not self._rate_limits:
            return
        for _ in range(MAX_BOOKINGS):
            left = max(0.0, until - time.monotonic())
            wait = self._rates.book(self.account_sid, verb, patience=min(left, self.patience))
            if wait is None:
                raise RateLimitTimeout(
                    "too many requests are waiting for Twilio's rate limit, so this one was not sent"
                )
            turn = time.monotonic() + wait
            if wait > 0:
                self._sleep(wait)
            if time.monotonic() - turn <= LATE_TOLERANCE:
                return

    def _thread_session(self) -> requests.Session:
        """The session that this thread keeps for the account, as it is reached now."""
        return _sessions.of(
            self.account_sid, (self.base_url, self._auth.username, self._auth.password)
        )


def _iterate_flows(
    thread: ThreadPoolExecutor, ask: Callable[[Any], Future[_Page]], coming: Future[_Page]
) -> Iterator[Snapshot]:
    """The flows of a listing whose first page is `coming`; `ask` has that thread fetch the page of a link."""
    with thread:
        while True:
            page, link = coming.result()
            is_last = paging.is_last_page(link)
            if not is_last:
                coming = ask(link)
            for resource in page.snapshot["flex_flows"]:
                yield parse_flow(resource, page)
            if is_last:
                return


def _read_body(response: requests.Response) -> bytes:
    """The body, read as it comes, up to the bound."""
    chunks, size = [], 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise requests.exceptions.ContentDecodingError("the response is too large")
        chunks.append(chunk)
    return b"".join(chunks)


def _connection_error(call: Call, error: Exception) -> FlexError:
    if call.is_unsent:
        return ConnectionFailed()
    if call.is_late or isinstance(error, requests.Timeout):
        return OutcomeUnknown("Twilio did not answer in time")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return OutcomeUnknown("Twilio's response could not be read")
    return OutcomeUnknown("the connection to Twilio was lost", is_stale=call.on_reused_connection)


def _can_retry(verb: str, error: BaseException) -> bool:
    if isinstance(error, RequestRefused):
        return error.status == 429  # never processed, so any call
    if isinstance(error, OutcomeUnknown) and verb in IDEMPOTENT_OPERATIONS:
        return error.status is None or error.status >= 500 or error.status == REQUEST_TIMEOUT
    return (
        isinstance(error, NotSent)
        and not isinstance(error, RateLimitTimeout)
        and verb in IDEMPOTENT_OPERATIONS
    )


def _retry_delay(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: what Twilio asks for, or a doubling pause; both with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, OutcomeUnknown) and error.is_stale:
        return 0.0
    asked = error.retry_after if isinstance(error, FlexError) else None
    base = asked if asked is not None else min(4.0, 0.25 * 2 ** (state.attempt_number - 1))
    return float(base + random.uniform(0, 0.25))  # noqa: S311 - jitter, not a secret
