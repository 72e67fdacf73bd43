"""The endpoints: who may call, which path and method mean what, and what a list looks like.

It turns a request into an answer. Rules of a flow are contract's, its whereabouts store's; sockets,
faults and the record of requests are unknown here.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from flows.twilio.sandbox import rules
from flows.twilio.sandbox.consistency import Lag, Lags, page_of
from flows.twilio.sandbox.faults import LIST_PATH
from flows.twilio.sandbox.responses import Answer, Refused, no_content, of_json, of_refusal
from flows.twilio.sandbox.store import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flows.twilio.sandbox.request_log import Received
    from flows.twilio.sandbox.rules import Resource
    from flows.twilio.sandbox.store import Page, Store

logger = logging.getLogger(__name__)

PAGE_SIZE = 50
PAGE_SIZE_MAX = 1000
AUTHENTICATION = 20003
METHOD = 20004
PAGE_SIZE_WRONG = 20007
NOT_FOUND = 20404
CRASHED = 20500
TOKEN_TAG = "flexflows"  # noqa: S105  # marks a page token as ours; nothing secret  # nosec B105


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived. `refusal` is set if its body could not be read."""

    method: str
    path: str
    origin: str  # http://host:port, as the client addressed it
    authorization: str
    parameters: Mapping[str, str]
    refusal: Refused | None = None


class Api:
    """The Flex API of one account."""

    def __init__(self, store: Store, *, credentials: Mapping[str, str]) -> None:
        self._store = store
        self._credentials = credentials
        self.lags = Lags()

    def respond(self, request: Request, received: Received) -> Answer:
        """Carry the request out and answer it; `received` is told what was applied."""
        try:
            self._authenticate(request.authorization)
            return self._route(request, received)
        except Refused as refusal:
            return of_refusal(refusal)
        except Exception:
            logger.exception("The sandbox failed at %s %s", request.method, request.path)
            return of_refusal(
                Refused(HTTPStatus.INTERNAL_SERVER_ERROR, CRASHED, "An internal server error has occurred")
            )

    def _authenticate(self, authorization: str) -> None:
        scheme, _, encoded = authorization.partition(" ")
        try:
            pair = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            pair = b""
        name, _, secret = pair.partition(b":")
        expected = self._credentials.get(name.decode("utf-8", "replace"))
        known = expected is not None and secrets.compare_digest(secret, expected.encode())
        if scheme.lower() != "basic" or not known:
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                AUTHENTICATION,
                "Authentication Error - invalid username",
                WWW_Authenticate='Basic realm="Twilio API"',
            )

    def _route(self, request: Request, received: Received) -> Answer:
        if request.refusal is not None:
            raise request.refusal
        path = unquote(request.path)
        by_method: dict[str, Callable[[Request, Received], Answer]]
        if path == LIST_PATH:
            by_method = {"GET": self._list, "POST": self._create}
        elif match := re.fullmatch(rf"{LIST_PATH}/([^/]+)", path):
            sid = match[1]
            by_method = {
                "GET": lambda request, received: self._fetch(request, received, sid),
                "POST": lambda request, received: self._update(request, received, sid),
                "DELETE": lambda _request, received: self._delete(received, sid),
            }
        else:
            raise Refused(HTTPStatus.NOT_FOUND, NOT_FOUND, f"The requested resource {path} was not found")
        serve = by_method.get(request.method)
        if serve is None:
            raise method_not_allowed(", ".join(by_method))
        return serve(request, received)

    def _create(self, request: Request, received: Received) -> Answer:
        resource = self._store.create(rules.read(request.parameters))
        received.sid, received.applied = resource["sid"], True
        return of_json(HTTPStatus.CREATED, _addressed(resource, request))

    def _fetch(self, request: Request, received: Received, sid: str) -> Answer:
        lag = self._lag(request, received)
        store = self._store if lag is None else self._store.ago(lag.seconds)
        return of_json(HTTPStatus.OK, _addressed(store.get(sid), request))

    def _lag(self, request: Request, received: Received) -> Lag | None:
        lag = self.lags.take(unquote(request.path))
        if lag is not None and received.fault is None:
            received.fault = lag.kind.value
        return lag

    def _update(self, request: Request, received: Received, sid: str) -> Answer:
        values = rules.read(request.parameters)
        resource = self._store.update(sid, values)
        if values:  # an empty body succeeds and changes nothing
            received.sid, received.applied = sid, True
        return of_json(HTTPStatus.OK, _addressed(resource, request))

    def _delete(self, received: Received, sid: str) -> Answer:
        self._store.delete(sid)
        received.sid, received.applied = sid, True
        return no_content()

    def _list(self, request: Request, received: Received) -> Answer:
        size = _number(request.parameters, "PageSize", PAGE_SIZE, code=PAGE_SIZE_WRONG)
        if not 1 <= size <= PAGE_SIZE_MAX:
            raise Refused(
                HTTPStatus.BAD_REQUEST, PAGE_SIZE_WRONG, f"PageSize must be 1 to {PAGE_SIZE_MAX}, not {size}"
            )
        number = _number(request.parameters, "Page", 0, code=rules.INVALID_PARAMETER)
        token = request.parameters.get("PageToken") or None
        cursor = None if token is None else _cursor(token)
        name = request.parameters.get("FriendlyName") or None
        lag = self._lag(request, received)
        page = page_of(self._store, lag, size=size, cursor=cursor, friendly_name=name)
        meta = _meta(request, page, size=size, number=number, token=token)
        origin = request.origin + LIST_PATH + "/"
        return of_json(
            HTTPStatus.OK,
            {"meta": meta, "flex_flows": [flow | {"url": origin + flow["sid"]} for flow in page.flows]},
        )


def method_not_allowed(allowed: str) -> Refused:
    return Refused(HTTPStatus.METHOD_NOT_ALLOWED, METHOD, "Method not allowed", Allow=allowed)


def _addressed(resource: Resource, request: Request) -> Resource:
    """The resource with its own address, on the host that the client asked."""
    return resource | {"url": f"{request.origin}{LIST_PATH}/{resource['sid']}"}


def _meta(request: Request, page: Page, *, size: int, number: int, token: str | None) -> dict[str, Any]:
    name = request.parameters.get("FriendlyName")

    def address(to: int, to_token: str | None) -> str:
        query = {"FriendlyName": name, "PageSize": size, "Page": to, "PageToken": to_token}
        given = {key: value for key, value in query.items() if value is not None}
        return f"{request.origin}{LIST_PATH}?{urlencode(given)}"

    before, after = page.previous, page.following
    return {
        "page": number,
        "page_size": size,
        "first_page_url": address(0, None),
        "previous_page_url": address(max(number - 1, 0), _token(before)) if before else None,
        "url": address(number, token),
        "next_page_url": address(number + 1, _token(after)) if after else None,
        "key": "flex_flows",
    }


def _number(parameters: Mapping[str, str], name: str, default: int, *, code: int) -> int:
    text = parameters.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refused(
            HTTPStatus.BAD_REQUEST, code, f"Invalid parameter {name}: {text[:80]!r} is not a number"
        )
    return int(text)


def _token(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(json.dumps([TOKEN_TAG, cursor.number, cursor.newer]).encode()).decode()


def _cursor(token: str) -> Cursor:
    try:
        tag, number, newer = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (ValueError, TypeError):
        tag = number = newer = None
    if tag != TOKEN_TAG or type(number) is not int or type(newer) is not bool:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            rules.INVALID_PARAMETER,
            "Invalid parameter PageToken: not one of this API's",
        )
    return Cursor(number, newer=newer)
