"""Links back to the list of flows with the search, filters and page that the user came from.

The browser's Referer header names the list on the first page after it. From there on, addresses and
forms carry the list's query as `list`. Nothing is stored, so each tab keeps its own place.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from django.http import HttpRequest
from django.urls import reverse

from flows.search import filters

PARAMETER: Final = "list"
MAX_QUERY_LENGTH: Final = 2000  # characters


def list_query(request: HttpRequest) -> str:
    """Return the query string of the list that the user came from, or "" for the whole list."""
    query = request.POST.get(PARAMETER) or request.GET.get(PARAMETER) or _query_of_referrer(request)
    if not query or len(query) > MAX_QUERY_LENGTH:
        return ""
    return urlencode([pair for pair in parse_qsl(query) if pair[0] in filters.LABELS])


def list_url(request: HttpRequest) -> str:
    """Return the address of the list that the user came from."""
    query = list_query(request)
    return f"{reverse('flows:list')}?{query}" if query else reverse("flows:list")


def with_list(request: HttpRequest, url: str, **parameters: str) -> str:
    """Return an address of this site with these parameters and the place in the list."""
    query = list_query(request)
    if query:
        parameters[PARAMETER] = query
    return f"{url}?{urlencode(parameters)}" if parameters else url


def _query_of_referrer(request: HttpRequest) -> str:
    """Return the query of the list from the Referer header.

    A part of a page that htmx loads is not a page of its own, so it has no place to go back to.
    """
    if "HX-Request" in request.headers:
        return ""
    referrer = _parse_url(request.headers.get("Referer", ""))
    is_list = referrer.netloc == request.get_host() and referrer.path == reverse("flows:list")
    return referrer.query if is_list else ""


def _parse_url(url: str) -> SplitResult:
    """Return the parts of a URL, all empty if it is malformed: anyone can set the header."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
