"""The listing of all objects of a collection, page by page.

Each later page is requested in the background while the caller reads the page before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from flows.twilio import paging, responses
from flows.twilio.errors import FlexError
from flows.twilio.paging import Pagination
from flows.twilio.resource import Resource, Snapshot
from flows.twilio.responses import ApiResponse

Page = tuple[ApiResponse, Any]  # a page of a listing and its link to the next page
FetchPage = Callable[[str], Page]  # requests the page at an address


def list_objects(
    resource: Resource,
    pagination: Pagination,
    fetch_page: FetchPage,
    *,
    page_size: int,
    filters: Mapping[str, str],
) -> Iterator[Snapshot]:
    """Request the first page at once, and return the objects of all pages."""
    executor = ThreadPoolExecutor(1)

    # The executor's thread runs in a copy of the context, so that its log lines name the
    # request and the user.
    def request_page(link: Any) -> Future[Page]:
        return executor.submit(copy_context().run, _fetch_next_page, pagination, fetch_page, link)

    first_page = executor.submit(
        copy_context().run,
        _fetch_first_page,
        resource,
        pagination,
        fetch_page,
        paging.page_sizes_to_try(page_size),
        filters,
    )
    return _iterate_pages(resource, executor, request_page, first_page)


def _fetch_first_page(
    resource: Resource,
    pagination: Pagination,
    fetch_page: FetchPage,
    page_sizes: Sequence[int],
    filters: Mapping[str, str],
) -> Page:
    """Return the first page of a listing, with the first page size that Twilio accepts."""
    page_size, *smaller_sizes = page_sizes
    query = {**resource.list_query, "PageSize": str(page_size), **filters}
    url = pagination.begin(query, page_size=page_size)
    try:
        return fetch_page(url)
    except FlexError as error:
        if not smaller_sizes or not paging.is_page_size_refused(error):
            raise
    return _fetch_first_page(resource, pagination, fetch_page, smaller_sizes, filters)


def _fetch_next_page(pagination: Pagination, fetch_page: FetchPage, link: Any) -> Page:
    return fetch_page(pagination.resolve_link(link))


def _iterate_pages(
    resource: Resource,
    executor: ThreadPoolExecutor,
    request_page: Callable[[Any], Future[Page]],
    first_page: Future[Page],
) -> Iterator[Snapshot]:
    """Yield the objects of a listing, page by page.

    `request_page` has the executor fetch the page that a link leads to.
    """
    next_page: Future[Page] | None = first_page
    with executor:
        while next_page is not None:
            page, link = next_page.result()
            next_page = None if paging.is_last_page(link) else request_page(link)
            for body in page.snapshot[resource.list_key]:
                yield responses.parse_object(resource, body, page)
