"""Addresses in the sandbox's responses: of objects, of lists and of their pages.

The Flex API is at the sandbox's root. Every other product is below its name.
"""

from __future__ import annotations

import base64
import json
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flows.twilio.api_styles import API_OF_2010
from flows.twilio.description import FLEX_PRODUCT
from flows.twilio.sandbox import rules
from flows.twilio.sandbox.responses import ApiError
from flows.twilio.sandbox.store import Cursor

if TYPE_CHECKING:
    from flows.twilio.sandbox.api import Request
    from flows.twilio.sandbox.rules import Body
    from flows.twilio.sandbox.store import Page, Store

TOKEN_TAG = "flexflows"  # noqa: S105  # marks the sandbox's page tokens; not a secret


def list_path(store: Store) -> str:
    """Return the path of a store's collection at the sandbox."""
    resource = store.resource
    root = "" if resource.product == FLEX_PRODUCT else f"/{resource.product}"
    suffix = resource.api_style.suffix
    return f"{root}/{resource.version}/{store.collection_path}{suffix}"


def add_address(store: Store, body: Body, request: Request) -> Body:
    """Return an object with its address, at the host that the client addressed."""
    suffix = store.resource.api_style.suffix
    address = _address_of_list(store, request).removesuffix(suffix)
    if not store.resource.is_singleton:
        address = f"{address}/{body['sid']}"
    complete = body | {store.resource.api_style.address_key: f"{address}{suffix}"}
    if store.resource.sid_field != "sid" or not store.resource.has_sid:
        del complete["sid"]
    return complete


def page_body(
    store: Store, request: Request, page: Page, *, size: int, number: int, token: str | None
) -> Body:
    """Return a page of a list with its links. `number` and `token` are the page's own."""
    page_address = partial(_page_address, store, request, size)
    previous_page = next_page = None
    if page.previous is not None:
        previous_page = page_address(max(number - 1, 0), encode_cursor(page.previous))
    if page.following is not None:
        next_page = page_address(number + 1, encode_cursor(page.following))
    objects = [_listed(add_address(store, body, request)) for body in page.objects]
    key = store.resource.api_style.address_key
    links: dict[str, Any] = {
        "page": number,
        "page_size": size,
        f"first_page_{key}": page_address(0, None),
        f"previous_page_{key}": previous_page,
        key: page_address(number, token),
        f"next_page_{key}": next_page,
    }
    list_key = store.resource.list_key
    if store.resource.api_style is API_OF_2010:
        start = number * size
        end = start + max(len(objects) - 1, 0)
        return {**links, "start": start, "end": end, list_key: objects}
    return {"meta": links | {"key": list_key}, list_key: objects}


def _listed(body: Body) -> Body:
    """Return an object as a list has it: without the definition of a Studio Flow."""
    return body | {"definition": None} if "definition" in body else body


def encode_cursor(cursor: Cursor) -> str:
    text = json.dumps([TOKEN_TAG, cursor.number, cursor.newer])
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_cursor(token: str) -> Cursor:
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


def _address_of_list(store: Store, request: Request) -> str:
    """Return the address of a collection, which is relative in the API of 2010.

    A relative address begins at the product's own root, as it does at Twilio.
    """
    path = list_path(store)
    if store.resource.api_style is API_OF_2010:
        return path.removeprefix(f"/{store.resource.product}")
    return f"{request.origin}{path}"


def _page_address(store: Store, request: Request, size: int, number: int, token: str | None) -> str:
    """Return the address of a page of the list that a request asks for."""
    query: dict[str, str | int] = {}
    resource = store.resource
    parameters = (*resource.list_parameters, *resource.list_options, *resource.list_filters)
    for name in ("FriendlyName", *parameters):
        value = request.parameters.get(name)
        if value is not None:
            query[name] = value
    query |= {"PageSize": size, "Page": number}
    if token is not None:
        query["PageToken"] = token
    return f"{_address_of_list(store, request)}?{urlencode(query)}"
