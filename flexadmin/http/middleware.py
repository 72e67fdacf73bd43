"""What every request passes through: its id, the page's armour, the form's encoding, and the way
an ended session is told to htmx. Who may do what is decided in the views.
"""

from __future__ import annotations

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

from flexadmin.http import form_rescue
from flexadmin.ops import log_records
from flexadmin.signin import sessions

access_log = logging.getLogger("flexadmin.access")
UNLOGGED_PATHS = ("/health/", "/metrics", settings.STATIC_URL)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class RequestIdMiddleware:
    """Gives each request an id, which logs and audit events carry and the answer repeats; and a line in the log."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        request.META["REQUEST_ID"] = request_id = str(uuid.uuid4())
        token = log_records.request_id.set(request_id)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = request_id
            if not request.path.startswith(UNLOGGED_PATHS):
                _log_access(request, response, round((time.monotonic() - started) * 1000))
        finally:
            log_records.request_id.reset(token)
        return response


class SecurityHeadersMiddleware:
    """A strict content policy for every page: own scripts and styles, nothing inline. No page is framed, embedded
    elsewhere or cached. It stands outside of what can refuse a request early, so that a refusal has it too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        response.headers.setdefault("Cache-Control", "no-store, private")
        # Django's SecurityMiddleware gives these, but not to what it refuses itself.
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        response.headers.setdefault(
            "Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY
        )
        return response


class FormEncodingMiddleware:
    """Refuses a query or a body that is too large or not UTF-8. Django would put U+FFFD in place of what
    it can't read and go on; here that would end up as a flow's name at Twilio."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_utf8(unquote_to_bytes(request.META.get("QUERY_STRING", ""))):
            return _error_response(request, 400, "The address is not valid UTF-8.")
        if request.method == "POST":
            length = request.META.get("CONTENT_LENGTH") or "0"
            if not length.isdecimal():
                return _error_response(
                    request, 400, "The request's Content-Length is not a number."
                )
            if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                return _error_response(request, 413, "The form is too large. Nothing was changed.")
            urlencoded = request.content_type == "application/x-www-form-urlencoded"
            body = unquote_to_bytes(request.body) if urlencoded else request.body
            if not _is_utf8(body) and not _has_utf8_fields(request):
                return _error_response(
                    request, 400, "The form is not valid UTF-8. Nothing was changed."
                )
            # A part of a multipart body can have an encoding of its own, which would be read past this check.
            charset = (request.content_params or {}).get("charset", "utf-8").lower()
            if (
                charset not in ("utf-8", "utf8")
                or b"content-transfer-encoding" in request.body.lower()
            ):
                return _error_response(
                    request, 400, "Forms are read as UTF-8 only. Nothing was changed."
                )
        return self.get_response(request)


class SignInMiddleware(LoginRequiredMiddleware):
    """Every page stands behind sign-in, and behind what somebody has to do first (sessions.py). An htmx request of an
    ended session moves the whole page there, so that the sign-in form never lands in a fragment. What somebody typed
    meanwhile is kept."""

    def process_view(
        self, request: HttpRequest, view_func: Any, *args: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return (
                None  # without looking the person up: whether the site is alive needs no database
            )
        if request.user.is_authenticated:
            sessions.end_if_expired(request)
        if request.user.is_authenticated:
            return _redirect_to_required_step(request)
        answer = super().process_view(request, view_func, *args)
        kept = form_rescue.pending_form(request) if answer else None
        return form_rescue.session_ended_response(request, kept) if kept else answer

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        response = super().handle_no_permission(request, view_func)
        sender = request.headers.get("Referer")
        if (
            request.method == "POST" and sender
        ):  # most places that take a form have no page of their own
            response = redirect_to_login(sender)
        if getattr(request, "htmx", False):
            response.status_code = 204
            response["HX-Refresh"] = "true"
        return response


def _log_access(request: HttpRequest, response: HttpResponseBase, duration_ms: int) -> None:
    """The path without its query, which may hold what somebody searches for. Milliseconds until the answer began."""
    person = getattr(
        request, "_cached_user", None
    )  # asking for `user` would ask the database where nobody has
    access_log.info(
        "%s %s %s %s ms", request.method, request.path, response.status_code, duration_ms,
        extra={
            "method": request.method, "path": request.path, "status": response.status_code,
            "duration_ms": duration_ms, "person": getattr(person, "pk", None),
        },
    )  # fmt: skip


def _redirect_to_required_step(request: HttpRequest) -> HttpResponseBase | None:
    """Where somebody is led who has something to do before anything else, whatever they asked for."""
    match = request.resolver_match
    duty = sessions.required_step(request, match.view_name if match else "")
    if not duty:
        return None
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse(duty)})
    return HttpResponseRedirect(reverse(duty))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _has_utf8_fields(request: HttpRequest) -> bool:
    """Whether only an uploaded file is not UTF-8: its reader tells what it is. In a field Django would have put U+FFFD."""
    said = [text for name, values in request.POST.lists() for text in (name, *values)]
    return bool(request.FILES) and not any("\ufffd" in str(text) for text in said)


def _error_response(request: HttpRequest, status: int, what: str) -> HttpResponse:
    return render(request, "400.html", {"what": what, "status": status}, status=status)
