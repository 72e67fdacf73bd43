"""`FlexClient`: the Flex API's FlexFlows, one method per endpoint. Upstream is `https://flex-api.twilio.com/v1`
as Twilio's reference describes it; no detail of HTTP leaves this module, and it alone imports requests.

Methods take and give flat snapshots (`flows.flexapi.schema`). Each either returns what Twilio said or raises
one of `flows.flexapi.errors`: `NeverSent`, `Refused` or `Unknown`. It keeps within Twilio's rates and within
a deadline for the whole call, retries included, and logs no credential and no personal field.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
import tenacity
import urllib3
from pyrate_limiter import Duration, Limiter, Rate
from requests.auth import HTTPBasicAuth

from flows.flexapi import schema
from flows.flexapi.answers import Answer, flow_in, flow_of, read, unlike
from flows.flexapi.deadline import Call, DeadlineAdapter
from flows.flexapi.errors import FlexError, NeverSent, Refused, Unknown
from flows.flexapi.schema import Snapshot

log = logging.getLogger(__name__)

RATES: Final = {"list": 10, "fetch": 2, "create": 2, "update": 1, "delete": 2}  # calls a second and account
PAGE_SIZE: Final = 1000
MAX_PAGES: Final = 100  # an account holds 2,500 flows at most; a longer chain of links is a loop
MAX_ANSWER: Final = 16 * 1024 * 1024  # bytes; a page of 1,000 flows has some 1 MB
CHUNK: Final = (
    512 * 1024
)  # bytes that are read at a time; between two, another thread may take over for a while
CONNECT_TIMEOUT: Final = 5.0  # seconds
ATTEMPTS: Final = 4
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
WRITES: Final = frozenset({"create", "update", "delete"})
REPEATABLE: Final = frozenset({"list", "fetch", "delete"})

_Coming = Future[tuple[Answer, Any]]  # a page, and the link to the next
_limiters: dict[tuple[str, str], Limiter] = {}


class FlexClient:
    """A client of one account's Flex Flows.

    `auth` is (API key, secret) or (account SID, auth token). `deadline` is in seconds and holds for one
    method call, or for one page of a listing. `rate_limits=False` is for the sandbox only. `observe` is told of each
    try that may have left: its verb, what is known of it (succeeded, refused, throttled, unknown, never_sent), and
    the seconds that it took.
    """

    def __init__(
        self,
        *,
        base_url: str,
        account_sid: str,
        auth: tuple[str, str],
        deadline: float = 15.0,
        rate_limits: bool = True,
        sleep: Callable[[float], None] = time.sleep,
        observe: Callable[[str, str, float], None] = lambda *_: None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.account_sid = account_sid
        self.deadline = deadline
        name, secret = auth
        self._auth = HTTPBasicAuth(name.encode(), secret.encode())  # requests alone would insist on Latin-1
        # A proxy of the environment's is for the way out, not for a sandbox on this machine.
        host = urlsplit(self.base_url).hostname or ""
        self._proxies = {"no_proxy": host} if host in LOOPBACK else None
        self._rate_limits = rate_limits
        self._sleep = sleep
        self._observe = observe
        self._session = self._new_session()

    def close(self) -> None:
        self._session.close()

    def list(self, *, friendly_name: str | None = None, page_size: int = PAGE_SIZE) -> Iterator[Snapshot]:
        """Every flow of the account, page by page; with `friendly_name`, those that Twilio says match. The first page
        is asked for at once, each other one while the one before it is looked at."""
        query = {"PageSize": str(page_size)}
        if friendly_name is not None:
            query["FriendlyName"] = friendly_name
        seen: set[str] = set()

        def fetched(link: Any, query: dict[str, str] | None) -> tuple[Answer, Any]:
            url = self._next_page(link)
            if url in seen or len(seen) >= MAX_PAGES:
                raise Unknown("Twilio's list of flows does not end: its page links form a loop")
            seen.add(url)
            page = self._call("list", "GET", url, query)
            flows, meta = page.snapshot.get("flex_flows"), page.snapshot.get("meta")
            if not isinstance(flows, list) or not isinstance(meta, dict):
                raise unlike("Twilio's answer is not a page of Flex Flows", page)
            return page, meta.get("next_page_url")

        thread = ThreadPoolExecutor(1)

        def ask(link: Any, query: dict[str, str] | None = None) -> _Coming:
            # The context has what the log's lines say of us.
            return thread.submit(copy_context().run, fetched, link, query)

        return _flows(thread, ask, ask(f"{self.base_url}/FlexFlows", query))

    def fetch(self, sid: str) -> Snapshot:
        """The flow as it is at Twilio now."""
        return flow_in(self._call("fetch", "GET", self._url(sid)), sid)

    def create(self, values: Mapping[str, Any]) -> Answer:
        """Makes a flow of these fields. It is never repeated but after a 429: the API has no idempotency key."""
        url = f"{self.base_url}/FlexFlows"
        answer = self._call("create", "POST", url, schema.to_parameters(values))
        return replace(answer, snapshot=flow_in(answer))

    def update(self, sid: str, values: Mapping[str, Any]) -> Answer:
        """Changes just these fields; None or "" unsets one."""
        answer = self._call("update", "POST", self._url(sid), schema.to_parameters(values))
        return replace(answer, snapshot=flow_in(answer, sid))

    def delete(self, sid: str) -> Answer:
        """Deletes the flow. Twilio's 404 after a try whose answer was lost means that this one went through."""
        return replace(self._call("delete", "DELETE", self._url(sid)), snapshot={})

    def _url(self, sid: str) -> str:
        if not schema.is_sid("FO", sid):
            raise ValueError("not the SID of a Flex Flow")
        return f"{self.base_url}/FlexFlows/{sid}"

    def _next_page(self, url: Any) -> str:
        listing = f"{self.base_url}/FlexFlows"
        try:
            target, base = urlsplit(urljoin(listing, str(url))), urlsplit(listing)
        except ValueError:
            raise Unknown("Twilio's list of flows goes on at an address that makes no sense") from None
        if target[:3] != base[:3]:  # scheme, host, path: the credentials go nowhere else
            raise Unknown("Twilio's list of flows goes on at another address; it was not followed")
        return target.geturl()

    def _call(self, verb: str, method: str, url: str, data: Mapping[str, str] | None = None) -> Answer:
        """One endpoint, repeated where that is safe, within one deadline."""
        until = time.monotonic() + self.deadline
        lost: Unknown | None = None  # an earlier try that may have been carried out

        def once() -> Answer:
            nonlocal lost
            try:
                return self._once(verb, method, url, data, until)
            except Unknown as error:
                lost = error
                raise
            except Refused as refused:
                # In Twilio's own words, which have a code: a proxy's 404 says nothing about the flow.
                if verb == "delete" and lost is not None and refused.status == 404 and refused.code:
                    return Answer({}, refused.status, refused.request_id)
                raise

        try:
            return tenacity.Retrying(
                retry=tenacity.retry_if_exception(lambda error: _may_repeat(verb, error)),
                wait=_pause,
                stop=lambda state: (
                    state.attempt_number >= ATTEMPTS or time.monotonic() + _pause(state) >= until
                ),
                sleep=self._sleep,
                reraise=True,
            )(once)
        except (Refused, NeverSent):
            if verb in WRITES and lost is not None:
                raise lost from None  # the last try changed nothing; an earlier one may have
            raise

    def _once(self, verb: str, method: str, url: str, data: Mapping[str, str] | None, until: float) -> Answer:
        self._take_place(verb, until)
        started = time.monotonic()
        if started >= until:
            raise NeverSent("there was no time left to send the request")
        status: int | str = "no answer"
        request_id, result = "", "unknown"
        # A write has a connection of its own: one that was kept could be closed under it, and its fate unknown.
        session = self._new_session() if verb in WRITES else self._session
        try:
            with Call(until) as call:
                response, body = self._exchange(session, call, method, url, data)
            status, request_id = response.status_code, response.headers.get("Twilio-Request-Id", "")[:64]
            answer = read(response.status_code, response.headers, body, request_id)
            result = "succeeded"
            return Answer(answer, response.status_code, request_id)
        except NeverSent:
            result = "never_sent"
            raise
        except Refused as error:
            result = "throttled" if error.status == 429 else "refused"
            raise
        finally:
            if session is not self._session:
                session.close()
            seconds = time.monotonic() - started
            path = urlsplit(url).path
            log.info("%s %s %s %d ms %s", method, path, status, round(seconds * 1000), request_id or "-")
            self._observe(verb, result, seconds)

    def _exchange(
        self, session: requests.Session, call: Call, method: str, url: str, data: Mapping[str, str] | None
    ) -> tuple[requests.Response, bytes]:
        remaining = max(0.05, call.deadline - time.monotonic())
        try:
            with session.request(
                method,
                url,
                params=data if method == "GET" else None,
                data=data if method != "GET" else None,
                auth=self._auth,
                timeout=(min(CONNECT_TIMEOUT, remaining), remaining),
                allow_redirects=False,
                proxies=self._proxies,
                stream=True,
            ) as response:
                body = _bounded(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _lost(call, error) from None  # the original can quote the address and what was sent
        if call.is_late:
            raise Unknown("Twilio did not answer in time")
        return response, body

    def _take_place(self, verb: str, until: float) -> None:
        """Waits for this call's turn within the account's rate."""
        if not self._rate_limits:
            return
        key = (self.account_sid, verb)
        if key not in _limiters:
            _limiters.setdefault(key, Limiter(Rate(RATES[verb], Duration.SECOND)))
        if not _limiters[key].try_acquire(verb, timeout=max(0.0, until - time.monotonic())):
            raise NeverSent("too many calls are waiting for their turn at Twilio; this one was not sent")

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.headers["Accept"] = "application/json"
        session.headers["User-Agent"] = "flex-flow-dashboard/0.1"
        adapter = DeadlineAdapter(max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session


def _flows(thread: ThreadPoolExecutor, ask: Callable[[Any], _Coming], coming: _Coming) -> Iterator[Snapshot]:
    """The flows of a listing whose first page is `coming`; `ask` has that thread fetch the page of a link."""
    with thread:
        while True:
            page, link = coming.result()
            if link is not None:
                coming = ask(link)
            for resource in page.snapshot["flex_flows"]:
                yield flow_of(resource, page)
            if link is None:
                return


def _bounded(response: requests.Response) -> bytes:
    """The body, read as it comes, up to the bound."""
    chunks, size = [], 0
    for chunk in response.iter_content(CHUNK):
        size += len(chunk)
        if size > MAX_ANSWER:
            raise requests.exceptions.ContentDecodingError("the answer is too large")
        chunks.append(chunk)
    return b"".join(chunks)


def _lost(call: Call, error: Exception) -> FlexError:
    if call.never_left:
        return NeverSent("no connection to Twilio could be made")
    if call.is_late or isinstance(error, requests.Timeout):
        return Unknown("Twilio did not answer in time")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return Unknown("Twilio's answer could not be read")
    return Unknown("the connection to Twilio was lost")


def _may_repeat(verb: str, error: BaseException) -> bool:
    if isinstance(error, Refused):
        return error.status == 429  # never processed, so any call
    if isinstance(error, Unknown) and verb in REPEATABLE:
        return error.status is None or error.status >= 500
    return isinstance(error, NeverSent) and verb in REPEATABLE


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: what Twilio asks for, or a doubling pause; both with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, FlexError) else None
    base = asked if asked is not None else min(4.0, 0.25 * 2 ** (state.attempt_number - 1))
    return float(base + random.uniform(0, 0.25))  # noqa: S311 - jitter, not a secret  # nosec B311
