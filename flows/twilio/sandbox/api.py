"""The endpoints of the sandbox: authentication, routes and lists.

The API turns a request into a response. The rules of a resource are in `rules`, its objects in
`store`, sockets and faults in `handler`.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
import secrets
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from flows.twilio.sandbox import rules
from flows.twilio.sandbox.consistency import Lag, LagQueue, read_page
from flows.twilio.sandbox.faults import API_ROOT
from flows.twilio.sandbox.responses import (
    ApiError,
    Response,
    error_response,
    json_response,
    no_content_response,
)
from flows.twilio.sandbox.store import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.request_log import RequestRecord
    from flows.twilio.sandbox.rules import Body
    from flows.twilio.sandbox.store import Page, Store

logger = logging.getLogger(__name__)

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
AUTHENTICATION_ERROR = 20003
METHOD_NOT_ALLOWED = 20004
INVALID_PAGE_SIZE = 20007
NOT_FOUND = 20404
INTERNAL_SERVER_ERROR = 20500
TOKEN_TAG = "flexflows"  # noqa: S105  # marks the sandbox's page tokens; not a secret

_ROUTE = re.compile(rf"(?P<list_path>{API_ROOT}/[^/]+)(?:/(?P<sid>[^/]+))?")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. `refusal` is the error to raise if its body could not be read."""

    method: str
    path: str
    origin: str  # http://host:port, as the client addressed it
    authorization: str
    parameters: Mapping[str, str]
    refusal: ApiError | None = None


class Api:
    """The Flex API of one account. Each store has the objects of one resource."""

    def __init__(self, stores: Iterable[Store], *, credentials: Mapping[str, str]) -> None:
        self._stores = {list_path(store.resource): store for store in stores}
        self._credentials = credentials
        self.lags = LagQueue()

    def respond(self, request: Request, record: RequestRecord) -> Response:
        """Carry out a request, note in `record` what was applied, and return the response."""
        try:
            self._authenticate(request.authorization)
            return self._route(request, record)
        except ApiError as error:
            return error_response(error)
        except Exception:
            logger.exception("The sandbox failed at %s %s", request.method, request.path)
            return error_response(
                ApiError(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    INTERNAL_SERVER_ERROR,
                    "An internal server error has occurred",
                )
            )

    def _authenticate(self, authorization: str) -> None:
        """Raise `ApiError` unless the header has a valid name and secret (HTTP Basic)."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            credentials = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            credentials = b""
        name, _, secret = credentials.partition(b":")
        expected = self._credentials.get(name.decode("utf-8", "replace"))
        is_valid = expected is not None and secrets.compare_digest(secret, expected.encode())
        if scheme.lower() != "basic" or not is_valid:
            raise ApiError(
                HTTPStatus.UNAUTHORIZED,
                AUTHENTICATION_ERROR,
                "Authentication Error - invalid username",
                WWW_Authenticate='Basic realm="Twilio API"',
            )

    def _route(self, request: Request, record: RequestRecord) -> Response:
        """Call the endpoint of a request. Raise `ApiError` if there is none."""
        if request.refusal is not None:
            raise request.refusal
        store, sid = self._resolve(unquote(request.path))
        endpoints: dict[str, Callable[[Request, RequestRecord], Response]]
        if sid:
            endpoints = {
                "GET": lambda request, record: self._fetch(store, request, record, sid),
                "POST": lambda request, record: self._update(store, request, record, sid),
                "DELETE": lambda _request, record: self._delete(store, record, sid),
            }
        else:
            endpoints = {
                "GET": lambda request, record: self._list(store, request, record),
                "POST": lambda request, record: self._create(store, request, record),
            }
        endpoint = endpoints.get(request.method)
        if endpoint is None:
            raise method_not_allowed_error(", ".join(endpoints))
        return endpoint(request, record)

    def _resolve(self, path: str) -> tuple[Store, str]:
        """Return the store that a path is about, and the SID in the path or ""."""
        route = _ROUTE.fullmatch(path)
        store = self._stores.get(route["list_path"]) if route else None
        if route is None or store is None:
            raise ApiError(
                HTTPStatus.NOT_FOUND, NOT_FOUND, f"The requested resource {path} was not found"
            )
        return store, route["sid"] or ""

    def _create(self, store: Store, request: Request, record: RequestRecord) -> Response:
        body = store.create(rules.parse_parameters(store.resource, request.parameters))
        record.sid, record.applied = body["sid"], True
        return json_response(HTTPStatus.CREATED, _add_url(store.resource, body, request))

    def _fetch(self, store: Store, request: Request, record: RequestRecord, sid: str) -> Response:
        lag = self._take_lag(request, record)
        visible = store if lag is None else store.past_state(lag.seconds)
        return json_response(HTTPStatus.OK, _add_url(store.resource, visible.get(sid), request))

    def _take_lag(self, request: Request, record: RequestRecord) -> Lag | None:
        """Return the lag for this read, or None, and note it in the record."""
        lag = self.lags.take(unquote(request.path))
        if lag is not None and record.fault is None:
            record.fault = lag.kind.value
        return lag

    def _update(self, store: Store, request: Request, record: RequestRecord, sid: str) -> Response:
        values = rules.parse_parameters(store.resource, request.parameters)
        body = store.update(sid, values)
        if values:  # an empty body succeeds and changes nothing
            record.sid, record.applied = sid, True
        return json_response(HTTPStatus.OK, _add_url(store.resource, body, request))

    def _delete(self, store: Store, record: RequestRecord, sid: str) -> Response:
        store.delete(sid)
        record.sid, record.applied = sid, True
        return no_content_response()

    def _list(self, store: Store, request: Request, record: RequestRecord) -> Response:
        """Return a page of the list, with the lag that waits for this read."""
        size = _parse_number(
            request.parameters, "PageSize", DEFAULT_PAGE_SIZE, code=INVALID_PAGE_SIZE
        )
        if not 1 <= size <= MAX_PAGE_SIZE:
            raise ApiError(
                HTTPStatus.BAD_REQUEST,
                INVALID_PAGE_SIZE,
                f"PageSize must be 1 to {MAX_PAGE_SIZE}, not {size}",
            )
        number = _parse_number(request.parameters, "Page", 0, code=rules.INVALID_PARAMETER)
        token = request.parameters.get("PageToken") or None
        cursor = None if token is None else _decode_cursor(token)
        name = request.parameters.get("FriendlyName") or None
        lag = self._take_lag(request, record)
        page = read_page(store, lag, size=size, cursor=cursor, friendly_name=name)
        resource = store.resource
        meta = _list_metadata(resource, request, page, size=size, number=number, token=token)
        bodies = [_add_url(resource, body, request) for body in page.objects]
        return json_response(HTTPStatus.OK, {"meta": meta, resource.list_key: bodies})


def list_path(resource: Resource) -> str:
    """Return the path of a resource's collection."""
    return f"{API_ROOT}/{resource.path}"


def method_not_allowed_error(allowed: str) -> ApiError:
    """Return the error for a method that is not in `allowed`, the Allow header."""
    return ApiError(
        HTTPStatus.METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED, "Method not allowed", Allow=allowed
    )


def _add_url(resource: Resource, body: Body, request: Request) -> Body:
    """Return an object with its URL, at the host that the client addressed."""
    return body | {"url": f"{request.origin}{list_path(resource)}/{body['sid']}"}


def _list_metadata(
    resource: Resource, request: Request, page: Page, *, size: int, number: int, token: str | None
) -> dict[str, Any]:
    """Return a page's `meta` object. `number` and `token` are the page's own."""
    page_url = partial(_page_url, resource, request, size)
    previous_page_url = next_page_url = None
    if page.previous is not None:
        previous_page_url = page_url(max(number - 1, 0), _encode_cursor(page.previous))
    if page.following is not None:
        next_page_url = page_url(number + 1, _encode_cursor(page.following))
    return {
        "page": number,
        "page_size": size,
        "first_page_url": page_url(0, None),
        "previous_page_url": previous_page_url,
        "url": page_url(number, token),
        "next_page_url": next_page_url,
        "key": resource.list_key,
    }


def _page_url(
    resource: Resource, request: Request, size: int, number: int, token: str | None
) -> str:
    """Return the URL of a page of the list that a request asks for."""
    query: dict[str, str | int] = {}
    name = request.parameters.get("FriendlyName")
    if name is not None:
        query["FriendlyName"] = name
    query |= {"PageSize": size, "Page": number}
    if token is not None:
        query["PageToken"] = token
    return f"{request.origin}{list_path(resource)}?{urlencode(query)}"


def _parse_number(parameters: Mapping[str, str], name: str, default: int, *, code: int) -> int:
    text = parameters.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ApiError(
            HTTPStatus.BAD_REQUEST, code, f"Invalid parameter {name}: {text[:80]!r} is not a number"
        )
    return int(text)


def _encode_cursor(cursor: Cursor) -> str:
    text = json.dumps([TOKEN_TAG, cursor.number, cursor.newer])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _decode_cursor(token: str) -> Cursor:
    try:
        tag, number, newer = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (ValueError, TypeError):
        tag = number = newer = None
    if tag != TOKEN_TAG or type(number) is not int or type(newer) is not bool:
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            rules.INVALID_PARAMETER,
            "Invalid parameter PageToken: not one of this API's",
        )
    return Cursor(number, newer=newer)
