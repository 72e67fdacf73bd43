"""The endpoints of the sandbox: authentication, routes and lists.

The API turns a request into a response. The rules of a resource are in `rules`, its objects in
`store`, sockets and faults in `handler`.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flows.twilio.sandbox import rules
from flows.twilio.sandbox.consistency import Lag, LagQueue, read_page
from flows.twilio.sandbox.links import add_address, decode_cursor, page_body
from flows.twilio.sandbox.listed_values import listed_values
from flows.twilio.sandbox.responses import (
    ApiError,
    Response,
    error_response,
    json_response,
    no_content_response,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.request_log import RequestRecord
    from flows.twilio.sandbox.store import Store
    from flows.twilio.sandbox.store_index import StoreIndex

    Endpoint = Callable[["Store", "Request", RequestRecord, str], Response]

logger = logging.getLogger(__name__)

DEFAULT_PAGE_SIZE = 50
AUTHENTICATION_ERROR = 20003
METHOD_NOT_ALLOWED = 20004
INVALID_PAGE_SIZE = 20007
NOT_FOUND = 20404
INTERNAL_SERVER_ERROR = 20500
# The operations by method, for the path of a collection and for that of an object.
COLLECTION_OPERATIONS = {"GET": "list", "POST": "create"}
ARCHIVE_SUFFIX = "/Archive"
OBJECT_OPERATIONS = {"GET": "fetch", "POST": "update", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. `refusal` is the error to raise if its body could not be read."""

    method: str
    path: str
    origin: str  # http://host:port, as the client addressed it
    authorization: str
    parameters: Mapping[str, str]
    refusal: ApiError | None = None
    json_text: str | None = None  # the body of a request that is JSON


class Api:
    """The APIs of one account. Each store has the objects of one collection."""

    def __init__(self, index: StoreIndex, *, credentials: Mapping[str, str]) -> None:
        self._index = index
        self._credentials = credentials
        self._endpoints: dict[str, Endpoint] = {
            "list": self._list,
            "fetch": self._fetch,
            "create": self._create,
            "update": self._update,
            "archive": self._archive,
            "delete": self._delete,
        }
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
        path = unquote(request.path)
        is_archival = path.endswith(ARCHIVE_SUFFIX)
        resolved = self._index.resolve(path.removesuffix(ARCHIVE_SUFFIX))
        if resolved is None:
            raise ApiError(
                HTTPStatus.NOT_FOUND, NOT_FOUND, f"The requested resource {path} was not found"
            )
        store, sid = resolved
        operations = OBJECT_OPERATIONS if sid else COLLECTION_OPERATIONS
        if is_archival:
            operations = {"POST": "archive"}
        if store.resource.is_singleton:
            operations, sid = OBJECT_OPERATIONS, next(iter(store.snapshot()))
        allowed = {
            method: operation
            for method, operation in operations.items()
            if operation in store.resource.operations
        }
        if request.method not in allowed:
            raise method_not_allowed_error(", ".join(allowed))
        return self._endpoints[allowed[request.method]](store, request, record, sid)

    def _create(self, store: Store, request: Request, record: RequestRecord, _sid: str) -> Response:
        body = store.create(rules.parse_parameters(store.resource, request.parameters, "create"))
        record.sid, record.applied = body["sid"], True
        return json_response(store.resource.created_status, add_address(store, body, request))

    def _fetch(self, store: Store, request: Request, record: RequestRecord, sid: str) -> Response:
        lag = self._take_lag(request, record)
        visible = store if lag is None else store.past_state(lag.seconds)
        return json_response(HTTPStatus.OK, add_address(store, visible.get(sid), request))

    def _take_lag(self, request: Request, record: RequestRecord) -> Lag | None:
        """Return the lag for this read, or None, and note it in the record."""
        lag = self.lags.take(unquote(request.path))
        if lag is not None and record.fault is None:
            record.fault = lag.kind.value
        return lag

    def _update(self, store: Store, request: Request, record: RequestRecord, sid: str) -> Response:
        if store.resource.has_json_body:
            values = rules.parse_json(store.resource, sid, request.json_text)
        else:
            values = rules.parse_parameters(store.resource, request.parameters, "update")
        body = store.update(sid, values)
        if values:  # an empty body succeeds and changes nothing
            record.sid, record.applied = body["sid"], True
        return json_response(HTTPStatus.OK, add_address(store, body, request))

    def _archive(self, store: Store, request: Request, record: RequestRecord, sid: str) -> Response:
        body = store.archive(sid)
        record.sid, record.applied = sid, True
        return json_response(HTTPStatus.OK, add_address(store, body, request))

    def _delete(self, store: Store, _request: Request, record: RequestRecord, sid: str) -> Response:
        store.delete(sid)
        record.sid, record.applied = sid, True
        return no_content_response()

    def _list(self, store: Store, request: Request, record: RequestRecord, _sid: str) -> Response:
        """Return a page of the list, with the lag that waits for this read."""
        size = _parse_number(
            request.parameters, "PageSize", DEFAULT_PAGE_SIZE, code=INVALID_PAGE_SIZE
        )
        max_page_size = store.resource.max_page_size
        if not 1 <= size <= max_page_size:
            raise ApiError(
                HTTPStatus.BAD_REQUEST,
                INVALID_PAGE_SIZE,
                f"PageSize must be 1 to {max_page_size}, not {size}",
            )
        _check_list_parameters(store.resource, request)
        number = _parse_number(request.parameters, "Page", 0, code=rules.INVALID_PARAMETER)
        token = request.parameters.get("PageToken") or None
        cursor = None if token is None else decode_cursor(token)
        values = listed_values(store.resource, request.parameters)
        lag = self._take_lag(request, record)
        page = read_page(store, lag, size=size, cursor=cursor, values=values)
        body = page_body(store, request, page, size=size, number=number, token=token)
        return json_response(HTTPStatus.OK, body)


def method_not_allowed_error(allowed: str) -> ApiError:
    """Return the error for a method that is not in `allowed`, the Allow header."""
    return ApiError(
        HTTPStatus.METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED, "Method not allowed", Allow=allowed
    )


def _check_list_parameters(resource: Resource, request: Request) -> None:
    """Raise `ApiError` unless a list has the parameters that it needs."""
    for name, value in resource.list_parameters.items():
        if request.parameters.get(name) != value:
            message = f"Parameter {name} must be {value}"
            raise ApiError(HTTPStatus.BAD_REQUEST, rules.INVALID_PARAMETER, message)


def _parse_number(parameters: Mapping[str, str], name: str, default: int, *, code: int) -> int:
    text = parameters.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ApiError(
            HTTPStatus.BAD_REQUEST, code, f"Invalid parameter {name}: {text[:80]!r} is not a number"
        )
    return int(text)
