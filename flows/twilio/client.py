"""`ResourceClient`: list, fetch, create, update and delete the objects of one resource.

The base URL includes the version, such as `https://flex-api.twilio.com/v1` for Twilio's Flex API.
Methods take and return flat snapshots (`flows.twilio.resource`). A method returns Twilio's
response or raises one of `flows.twilio.errors`: `NotSent`, `RequestRefused` or `OutcomeUnknown`.
The client keeps within Twilio's rates and within a deadline for the whole call, retries included.
It logs neither credentials nor personal data.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
import urllib3

from flows.twilio import responses, retries, transport
from flows.twilio.credentials import Credentials
from flows.twilio.deadline import Call
from flows.twilio.description import WRITE_OPERATIONS
from flows.twilio.errors import (
    NotSent,
    OutcomeUnknown,
    RateLimitTimeout,
    RequestRefused,
)
from flows.twilio.listing import Page, list_objects
from flows.twilio.paging import FIRST_PAGE, PageCursor, Pagination
from flows.twilio.rates import (
    LATE_TOLERANCE,
    PROCESS_RATE_LIMITER,
    RateLimiter,
    operation_of_product,
)
from flows.twilio.request_bodies import JsonBody, Parameters
from flows.twilio.resource import Resource, Snapshot
from flows.twilio.responses import (
    ApiResponse,
    ObjectPage,
    parse_response,
    unexpected_response,
)

log = logging.getLogger(__name__)

CONNECT_TIMEOUT: Final = 5.0  # seconds
MAX_BOOKINGS: Final = 3  # turns that one request books if it comes late to each
NO_FILTERS: Final[Mapping[str, str]] = {}
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})

_sessions = transport.ThreadSessions()


class ResourceClient:
    """A client for the objects of one resource in one account.

    A client is cheap to create: connections for reads belong to the thread and stay open
    (`flows.twilio.transport`).

    `auth` is (API key, secret) or (account SID, auth token). `headers` are sent too. `deadline` is in seconds and covers
    one method call, or one page of a listing. `patience` is the longest wait in seconds for a turn
    within the account's `rates`, by default the deadline. `rate_limits=False` is for the sandbox
    only. `observe` is called after each request with the operation, its result (succeeded, refused,
    throttled, unknown or never_sent) and its duration in seconds.
    """

    def __init__(
        self,
        resource: Resource,
        *,
        base_url: str,
        account_sid: str,
        auth: tuple[str, str],
        headers: Mapping[str, str] | None = None,
        deadline: float = 15.0,
        patience: float | None = None,
        rate_limits: bool = True,
        rates: RateLimiter = PROCESS_RATE_LIMITER,
        sleep: Callable[[float], None] = time.sleep,
        observe: Callable[[str, str, float], None] = lambda *_: None,
    ) -> None:
        self.resource = resource
        self.base_url = base_url.rstrip("/")
        self.account_sid = account_sid
        self.deadline = deadline
        self.patience = deadline if patience is None else patience
        self._auth = Credentials(*auth, headers)
        # The environment's proxy leads out of this machine, so a local sandbox goes without it.
        host = urlsplit(self.base_url).hostname or ""
        self._proxies = {"no_proxy": host} if host in LOOPBACK_HOSTS else None
        self._rate_limits = rate_limits
        self._rates = rates
        self._sleep = sleep
        self._observe = observe

    def close(self) -> None:
        """Close the open connections of the current thread."""
        _sessions.close()

    def list(
        self,
        *,
        friendly_name: str | None = None,
        page_size: int | None = None,
        parent_sid: str = "",
    ) -> Iterator[Snapshot]:
        """Return all objects of the account, or those that Twilio finds by `friendly_name`.

        `parent_sid` is the object that has the collection, for a resource below a parent. The first
        page is requested at once. Each later page is requested in the background while the caller
        reads the page before it.
        """
        pagination = Pagination(self.resource, self._list_url(parent_sid))
        session = self._thread_session()  # the calling thread's, because the executor's thread ends
        return list_objects(
            self.resource,
            pagination,
            partial(self._fetch_page, session, pagination),
            page_size=page_size or self.resource.max_page_size,
            filters={} if friendly_name is None else {"FriendlyName": friendly_name},
        )

    def list_page(
        self,
        cursor: PageCursor = FIRST_PAGE,
        *,
        page_size: int,
        parent_sid: str = "",
        filters: Mapping[str, str] = NO_FILTERS,
    ) -> ObjectPage:
        """Return one page of the objects of the account, and where the next and previous one are.

        `filters` are parameters of the resource's `list_filters` with the values to list. An entry
        that is not an object of the resource is in `unreadable`, as Twilio sent it.
        """
        page_size = min(page_size, self.resource.max_page_size)
        query = {**self.resource.list_query, **filters, "PageSize": str(page_size)}
        query |= cursor.parameters
        pagination = Pagination(self.resource, self._list_url(parent_sid))
        url = pagination.begin(query, page_size=page_size)
        response, _ = self._fetch_page(self._thread_session(), pagination, url)
        return responses.parse_page(self.resource, response, pagination)

    def fetch(self, sid: str, *, parent_sid: str = "") -> Snapshot:
        """Return the current state of an object, for a resource below a parent with `parent_sid`."""
        response = self._call("fetch", "GET", self._object_url(sid, parent_sid))
        return responses.extract_object(self.resource, response, sid, parent_sid)

    def fetch_by_key(self, key: str) -> Snapshot:
        """Return the object with this value of the resource's `key_field`."""
        if not self.resource.key_field or not key:
            raise ValueError(f"{self.resource.plural} are not found by this key")
        url = f"{self._collection_url('')}/{quote(key, safe='')}"
        response = self._call("fetch", "GET", url)
        return responses.extract_object_with_key(self.resource, response, key)

    def create(self, values: Mapping[str, Any], *, parent_sid: str = "") -> ApiResponse:
        """Create an object. Without an idempotency key, only a 429 is followed by a retry."""
        parameters = self.resource.to_parameters(values)
        response = self._call("create", "POST", self._list_url(parent_sid), parameters)
        return self._written(response, None, parent_sid)

    def update(self, sid: str, values: Mapping[str, Any], *, parent_sid: str = "") -> ApiResponse:
        """Change only these fields of an object. None or "" unsets a field."""
        body = self.resource.to_update_body(sid, values)
        response = self._call("update", "POST", self._object_url(sid, parent_sid), body)
        return self._written(response, sid, parent_sid)

    def archive(self, sid: str, *, parent_sid: str = "") -> ApiResponse:
        """Mark an object as archived, which can't be undone."""
        url = f"{self._object_url(sid, parent_sid)}/Archive"
        return self._written(self._call("archive", "POST", url), sid, parent_sid)

    def delete(self, sid: str, *, parent_sid: str = "") -> ApiResponse:
        """Delete an object.

        A 404 from Twilio counts as success if the response to an earlier try was lost.
        """
        response = self._call("delete", "DELETE", self._object_url(sid, parent_sid))
        return replace(response, snapshot=Snapshot({}))

    def _list_url(self, parent_sid: str = "") -> str:
        return self._collection_url(parent_sid) + self.resource.api_style.suffix

    def _object_url(self, sid: str, parent_sid: str) -> str:
        if not self.resource.is_sid(sid):
            raise ValueError(f"not the SID of a {self.resource.title}")
        if self.resource.is_singleton:
            return self._list_url()
        return f"{self._collection_url(parent_sid)}/{sid}{self.resource.api_style.suffix}"

    def _collection_url(self, parent_sid: str) -> str:
        path = self.resource.collection_path(account_sid=self.account_sid, parent_sid=parent_sid)
        return f"{self.base_url}/{path}"

    def _written(self, response: ApiResponse, sid: str | None, parent_sid: str) -> ApiResponse:
        """Return the response to a create or an update with the object as a snapshot."""
        snapshot = responses.extract_written_object(
            self.resource, response, self.account_sid, sid, parent_sid
        )
        return replace(response, snapshot=snapshot)

    def _fetch_page(self, session: requests.Session, pagination: Pagination, url: str) -> Page:
        """Return a page and its link, or raise `OutcomeUnknown` if it is not a page of a list."""
        page = self._call("list", "GET", url, session=session)
        objects = page.snapshot.get(self.resource.list_key)
        links = self.resource.api_style.links_of(page.snapshot)
        if not isinstance(objects, list) or links is None:
            description = f"Twilio's answer is not a page of {self.resource.plural}"
            raise unexpected_response(description, page)
        pagination.note(objects)
        return page, links.get(self.resource.api_style.next_key)

    def _call(
        self,
        operation: str,
        method: str,
        url: str,
        data: Parameters | JsonBody | None = None,
        session: requests.Session | None = None,
    ) -> ApiResponse:
        """Send a request and retry it where that is safe, all within one deadline."""
        if operation not in self.resource.operations:
            raise ValueError(f"{self.resource.plural} have no {operation}")
        deadline = time.monotonic() + self.deadline
        unknown: OutcomeUnknown | None = None  # of an earlier try, which may have been carried out

        def send() -> ApiResponse:
            nonlocal unknown
            try:
                return self._send_once(operation, method, url, data, deadline, session)
            except OutcomeUnknown as error:
                unknown = error
                raise
            except RequestRefused as refusal:
                is_retried_delete = operation == "delete" and unknown is not None
                if is_retried_delete and refusal.is_not_found:
                    return ApiResponse(Snapshot({}), 404, refusal.request_id)
                raise

        try:
            return retries.retrying(operation, deadline, self._sleep)(send)
        except (RequestRefused, NotSent):
            # The last try changed nothing, but an earlier one may have.
            if operation in WRITE_OPERATIONS and unknown is not None:
                raise unknown from None
            raise

    def _send_once(
        self,
        operation: str,
        method: str,
        url: str,
        data: Parameters | JsonBody | None,
        deadline: float,
        read_session: requests.Session | None = None,
    ) -> ApiResponse:
        """Send one request when its turn comes, log it and report it to `observe`."""
        self._wait_for_turn(operation, deadline)
        started = time.monotonic()
        if started >= deadline:
            raise NotSent("there was no time left to send the request")
        is_write = operation in WRITE_OPERATIONS
        # A write gets a new connection. An open one could be closed by the other side just then,
        # and the outcome would be unknown.
        session = transport.new_session() if is_write else read_session or self._thread_session()
        status: int | str = "no answer"
        request_id, result = "", "unknown"
        try:
            with Call(deadline) as call:
                response, body = self._exchange(session, call, method, url, data)
            status = response.status_code
            headers = response.headers
            request_id = headers.get("Twilio-Request-Id", "")[:64]
            payload = parse_response(operation, response.status_code, headers, body, request_id)
            result = "succeeded"
            return ApiResponse(Snapshot(payload), response.status_code, request_id)
        except NotSent:
            result = "never_sent"
            raise
        except RequestRefused as refusal:
            result = "throttled" if refusal.status == 429 else "refused"
            raise
        finally:
            if is_write:
                session.close()
            seconds = time.monotonic() - started
            _log_request(method, self._loggable_path(url), status, seconds, request_id)
            self._observe(operation, result, seconds)

    def _exchange(
        self,
        session: requests.Session,
        call: Call,
        method: str,
        url: str,
        data: Parameters | JsonBody | None,
    ) -> tuple[requests.Response, bytes]:
        """Send the request and return the response and its body."""
        seconds_left = max(0.05, call.deadline - time.monotonic())
        try:
            with session.request(
                method,
                url,
                data=None if isinstance(data, JsonBody) else data,
                json=data.value if isinstance(data, JsonBody) else None,
                auth=self._auth,
                timeout=(min(CONNECT_TIMEOUT, seconds_left), seconds_left),
                allow_redirects=False,
                proxies=self._proxies,
                stream=True,
            ) as response:
                body = transport.read_body(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # `from None`, because the original can quote the URL and the data.
            raise transport.connection_error(call, error) from None
        if call.is_late:
            raise OutcomeUnknown("Twilio did not answer in time")
        return response, body

    def _wait_for_turn(self, operation: str, deadline: float) -> None:
        """Wait for a turn within the account's rates.

        A caller that comes late to its turn, because the machine is busy, books another one: the
        next caller's turn may follow too closely.
        """
        if not self._rate_limits:
            return
        slots = operation_of_product(self.resource.product, operation)
        for _ in range(MAX_BOOKINGS):
            seconds_left = max(0.0, deadline - time.monotonic())
            patience = min(seconds_left, self.patience)
            wait = self._rates.book(self.account_sid, slots, patience=patience)
            if wait is None:
                raise RateLimitTimeout(
                    "too many requests are waiting for Twilio's rate limit, "
                    "so this one was not sent"
                )
            turn = time.monotonic() + wait
            if wait > 0:
                self._sleep(wait)
            if time.monotonic() - turn <= LATE_TOLERANCE:
                return

    def _loggable_path(self, url: str) -> str:
        """Return the path of an address, without a key, which can be a telephone number."""
        path = urlsplit(url).path
        collection, _, last = path.rpartition("/")
        has_key = collection.endswith(f"/{self.resource.path}") and not self.resource.is_sid(last)
        is_secret = bool(self.resource.key_field) and has_key
        return f"{collection}/{{{self.resource.key_field}}}" if is_secret else path

    def _thread_session(self) -> requests.Session:
        """Return the current thread's session for this account, API, URL and credentials."""
        api = (self.account_sid, self.resource.product, self.resource.version)
        connection_key = (self.base_url, self._auth.username, self._auth.password)
        return _sessions.of(api, connection_key)


def _log_request(
    method: str, path: str, status: int | str, seconds: float, request_id: str
) -> None:
    milliseconds = round(seconds * 1000)
    log.info("%s %s %s %d ms %s", method, path, status, milliseconds, request_id or "-")
