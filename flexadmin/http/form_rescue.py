"""Rescue of a form that could not be processed, so that the user's input is not lost.

The session had expired, the page was older than the last sign-in, or the site failed. The fields
travel within the response and are stored nowhere. The parameter `edit_again` fills them into the
form again and sends nothing to Twilio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.forms import AuthenticationForm
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse

# The views that accept `edit_again`, and the permission that each requires.
FORM_PERMISSIONS: Final = {
    "flows:new": "flows.add_flow",
    "flows:edit": "flows.change_flow",
    "flows:details": "flows.change_flow",
    "flows:enabled": "flows.change_flow",
    "flows:delete": "flows.delete_flow",
    "flows:plan-new": "flows.change_flow",
    "flows:plan-import": "flows.change_flow",
    "flows:plan-start": "flows.change_flow",
    "flows:plan-request": "flows.change_flow",
}
SIGN_IN_VIEWS: Final = {"login", "mfa_authenticate"}  # pages that pass a pending form on
MAX_LENGTH: Final = 64 * 1024  # characters; the largest form of a flow has about 20,000
MAX_AGE: Final = 24 * 60 * 60  # seconds; a sign-in page can stay open overnight
SALT: Final = "flexadmin.typed"
EXCLUDED_FIELDS: Final = {"csrfmiddlewaretoken", "edit_again"}


@dataclass(frozen=True, slots=True)
class PendingForm:
    """The posted fields of a form, and the view that they are for."""

    view: str
    kwargs: dict[str, str]
    fields: list[tuple[str, str]]

    @property
    def path(self) -> str:
        """The path of the form. It is built from the view's name, so that it stays on this site."""
        return reverse(self.view, kwargs=self.kwargs)

    @property
    def packed(self) -> str:
        """The form as a signed text for a hidden field. It is not encrypted."""
        return signing.dumps([self.view, self.kwargs, self.fields], salt=SALT, compress=True)


def pending_form(request: HttpRequest) -> PendingForm | None:
    """Return the form that this request posts, or that a sign-in page passes on, or None."""
    match = request.resolver_match
    if request.method != "POST" or match is None:
        return None
    if match.view_name in SIGN_IN_VIEWS:
        return _unpack(request.POST.get("typed", ""))
    if match.view_name not in FORM_PERMISSIONS:
        return None
    fields = _posted_fields(request)
    length = sum(len(name) + len(value) for name, value in fields)
    if length > MAX_LENGTH:
        return None
    kwargs = {name: str(value) for name, value in match.kwargs.items()}
    return PendingForm(match.view_name, kwargs, fields)


def _posted_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the names and values of the fields, in order. A name can occur more than once."""
    fields: list[tuple[str, str]] = []
    for name, values in request.POST.lists():
        if name not in EXCLUDED_FIELDS:
            fields += [(name, str(value)) for value in values]
    return fields


def same_origin_pending_form(request: HttpRequest) -> PendingForm | None:
    """Return the pending form if the browser says that a page of this site sent it, or None.

    For requests whose CSRF token is wrong or was not checked: another site could otherwise show its
    own values to the user.
    """
    return pending_form(request) if _is_same_origin(request) else None


def _is_same_origin(request: HttpRequest) -> bool:
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site:
        return fetch_site == "same-origin"
    own_origin = f"{request.scheme}://{request.get_host()}"
    return request.headers.get("Origin") == own_origin


def session_ended_response(request: HttpRequest, form: PendingForm) -> HttpResponse:
    """Return the sign-in page with the pending form. htmx gets no content, so the form stays."""
    if is_htmx(request):
        return HttpResponse(status=401)
    context = {"form": AuthenticationForm(request), "next": form.path, "pending_form": form}
    return render(request, "registration/login.html", context, status=401)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Return the page for a form whose token is missing or older than the last sign-in.

    htmx gets the same response as after an expired session.
    """
    form = same_origin_pending_form(request)
    if form and is_htmx(request):
        return HttpResponse(status=401)
    return render(request, "403_csrf.html", {"pending_form": form}, status=403)


def error_page_context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of an error page: the pending form and a CSRF token, or {}.

    Neither needs the database.
    """
    form = same_origin_pending_form(request)
    if form is None:
        return {}
    return {"pending_form": form, "csrf_token": get_token(request)}


def is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _unpack(token: str) -> PendingForm | None:
    """Return the form of `PendingForm.packed`, or None if it is forged or too old."""
    try:
        view, kwargs, fields = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except signing.BadSignature:
        return None
    return PendingForm(view, kwargs, [(name, value) for name, value in fields])
