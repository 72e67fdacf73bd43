"""Middleware for request ids, security headers, encoding, sign-in, time zones and the audit log.

Permissions are checked in the views.
"""

from __future__ import annotations

import itertools
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from flexadmin.http import form_rescue
from flexadmin.ops import log_records
from flexadmin.signin import sessions
from flows.api.problems import Problem, is_api_request, not_recorded
from flows.audit.audit_log import NotRecorded
from flows.audit.views.unrecorded import NotRecordedPage

access_log = logging.getLogger("flexadmin.access")
UNLOGGED_PATHS = ("/health/", "/metrics", settings.STATIC_URL)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class RequestIdMiddleware:
    """Gives each request an id, for logs, audit events and the response, and logs its access."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        start = time.monotonic()
        request.META["REQUEST_ID"] = request_id = str(uuid.uuid4())
        token = log_records.request_id.set(request_id)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = request_id
            if not request.path.startswith(UNLOGGED_PATHS):
                _log_access(request, response, round((time.monotonic() - start) * 1000))
        finally:
            log_records.request_id.reset(token)
        return response


class SecurityHeadersMiddleware:
    """Sets the security headers of every response.

    Scripts and styles come from this site only and never inline. No page is framed, embedded or
    cached. This middleware comes before those that can refuse a request, so that a refusal has the
    headers too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        response.headers.setdefault("Cache-Control", "no-store, private")
        # Django's SecurityMiddleware sets these, except on the redirects that it makes itself.
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        response.headers.setdefault(
            "Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY
        )
        return response


class FormEncodingMiddleware:
    """Refuses a query that is not UTF-8, and a body that is not UTF-8 or too large.

    Django would replace unreadable bytes by U+FFFD, which could end up in a flow's name at Twilio.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_utf8(unquote_to_bytes(request.META.get("QUERY_STRING", ""))):
            return _error_response(request, 400, "The address is not valid UTF-8.")
        if request.method == "POST" and not is_api_request(request):
            refusal = self._check_length(request) or self._check_encoding(request)
            if refusal:
                return refusal
        return self.get_response(request)

    def _check_length(self, request: HttpRequest) -> HttpResponse | None:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal():
            return _error_response(request, 400, "The request's Content-Length is not a number.")
        if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return _error_response(request, 413, "The form is too large. Nothing was changed.")
        return None

    def _check_encoding(self, request: HttpRequest) -> HttpResponse | None:
        if not _is_utf8(_decoded_body(request)) and not _has_utf8_fields(request):
            return _error_response(
                request, 400, "The form is not valid UTF-8. Nothing was changed."
            )
        if _declares_other_encoding(request):
            return _error_response(
                request, 400, "Forms are read as UTF-8 only. Nothing was changed."
            )
        return None


class SignInMiddleware(LoginRequiredMiddleware):
    """Requires sign-in for every page, and any step that the user has to take first (sessions.py).

    After an expired session, an htmx request reloads the whole page, so that the sign-in form never
    appears inside a fragment. The input of a form is kept.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, *args: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None  # without loading the user: health checks must not need the database
        if request.user.is_authenticated:
            sessions.end_if_expired(request)
        if request.user.is_authenticated:
            return _redirect_to_required_step(request)
        response = super().process_view(request, view_func, *args)
        if response is None:
            return None
        form = form_rescue.pending_form(request)
        if form is None:
            return response
        return form_rescue.session_ended_response(request, form)

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        response = super().handle_no_permission(request, view_func)
        referrer = request.headers.get("Referer")
        # Most URLs that accept a POST have no page of their own to return to.
        if request.method == "POST" and referrer:
            response = redirect_to_login(referrer)
        if form_rescue.is_htmx(request):
            response.status_code = 204
            response["HX-Refresh"] = "true"
        return response


class TimeZoneMiddleware:
    """Shows times in the time zone that the signed-in user has chosen, or else in the site's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(None):  # the zone of one request must not reach the next
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view_func: Any, *_args: Any) -> None:
        # Health checks must not load the user from the database.
        if getattr(view_func, "login_required", True) and request.user.is_authenticated:
            timezone.activate(request.user.own_profile.zone)  # type: ignore[attr-defined]


class NotRecordedMiddleware:
    """Responds with status 503 if an action could not be recorded. Nothing was changed then.

    A view can give a page of its own, such as the form again (flows/audit/views/unrecorded.py).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, NotRecordedPage):
            return error.response
        if isinstance(error, NotRecorded):
            return _not_recorded_response(request)
        return None


def _not_recorded_response(request: HttpRequest) -> HttpResponse:
    """Return the general page, with the pending form of the user, if any."""
    if is_api_request(request):
        return not_recorded().to_response()
    context = {"pending_form": form_rescue.pending_form(request)}
    response = render(request, "registration/not_recorded.html", context, status=503)
    response["Retry-After"] = "10"
    return response


def _log_access(request: HttpRequest, response: HttpResponseBase, duration_ms: int) -> None:
    """Log a request without its query, which can hold search terms.

    The duration in milliseconds ends when the response begins.
    """
    # `request.user` would load the user from the database if no view has done so.
    user = getattr(request, "_cached_user", None)
    access_log.info(
        "%s %s %s %s ms", request.method, request.path, response.status_code, duration_ms,
        extra={
            "method": request.method, "path": request.path, "status": response.status_code,
            "duration_ms": duration_ms, "person": getattr(user, "pk", None),
        },
    )  # fmt: skip


def _redirect_to_required_step(request: HttpRequest) -> HttpResponseBase | None:
    """Return a redirect to the step that the user has to take before anything else, or None."""
    match = request.resolver_match
    view_name = sessions.required_step(request, match.view_name if match else "")
    if not view_name:
        return None
    if form_rescue.is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse(view_name)})
    return HttpResponseRedirect(reverse(view_name))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded_body(request: HttpRequest) -> bytes:
    is_urlencoded = request.content_type == "application/x-www-form-urlencoded"
    return unquote_to_bytes(request.body) if is_urlencoded else request.body


def _declares_other_encoding(request: HttpRequest) -> bool:
    """Tell whether the request names another encoding than UTF-8, for itself or for a part."""
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    has_encoded_part = b"content-transfer-encoding" in request.body.lower()
    return charset not in ("utf-8", "utf8") or has_encoded_part


def _has_utf8_fields(request: HttpRequest) -> bool:
    """Return True if only an uploaded file is not UTF-8, which the view handles.

    In a field, Django has replaced unreadable bytes by U+FFFD.
    """
    if not request.FILES:
        return False
    values_by_name = dict(request.POST.lists())
    texts = itertools.chain(values_by_name, *values_by_name.values())
    return not any("\ufffd" in str(text) for text in texts)


def _error_response(request: HttpRequest, status: int, message: str) -> HttpResponse:
    if is_api_request(request):
        return Problem(status, message, code="bad_request").to_response()
    return render(request, "400.html", {"message": message, "status": status}, status=status)
