"""URLs of the API, and of the page that describes it.

Calls take no cookies: a page of another site can't use a user's session, so there is no CSRF token.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from flows.api import rate_limits, reference
from flows.api.problems import Problem
from flows.api.site_api import api

View = Callable[..., HttpResponseBase]


def as_call(view: View) -> View:
    """Let a view be called with a token in place of a session, and answer with problems only."""

    @csrf_exempt
    @login_not_required
    @functools.wraps(view)
    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return Problem(413, "The body is too large.", code="too_large").to_response()
        response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(sorted(response["Allow"].split(", ")))
            detail = f"This address has only {allowed}."
            problem = Problem(405, detail, code="method_not_allowed", headers={"Allow": allowed})
            response = problem.to_response()
        rate_limits.add_headers(request, response)
        return response

    return call


def call_not_found(_request: HttpRequest) -> HttpResponseBase:
    """Answer an address under which there is no call."""
    return Problem(404, "There is no such call.", code="not_found").to_response()


def _call_patterns() -> list[URLPattern]:
    """Return the patterns of all calls."""
    patterns = [each for each in api.urls[0] if isinstance(each, URLPattern)]
    calls = [each for each in patterns if each.name != "api-root"]
    for pattern in calls:
        pattern.callback = as_call(pattern.callback)
    return calls


call_urls = [
    path("openapi.json", as_call(reference.openapi_json), name="openapi"),
    *_call_patterns(),
    re_path(r"", as_call(call_not_found), name="no-call"),
]
