"""What was typed into a flow's form, kept where the form could not be taken: the session had ended, the page was
older than the last sign-in, or the site failed. It travels within the answer, is stored nowhere, and comes back into
its form by `edit_again`, which sends nothing to Twilio.
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

FORM_PERMISSIONS: Final = {  # the views that take `edit_again`, and the permission that each asks for
    "flows:new": "flows.add_flow",
    "flows:edit": "flows.change_flow",
    "flows:enabled": "flows.change_flow",
    "flows:delete": "flows.delete_flow",
    "flows:plan-new": "flows.change_flow",
    "flows:plan-import": "flows.change_flow",
    "flows:plan-start": "flows.change_flow",
}
SIGN_IN_VIEWS: Final = {"login", "mfa_authenticate"}  # the pages that carry along what was typed
MAX_LENGTH: Final = 64 * 1024  # characters; the largest form has some 20,000
MAX_AGE: Final = 24 * 60 * 60  # seconds: a sign-in page may stay open overnight
SALT: Final = "flexadmin.typed"
EXCLUDED_FIELDS: Final = {"csrfmiddlewaretoken", "edit_again"}


@dataclass(frozen=True, slots=True)
class PendingForm:
    """The fields of a form as they were sent, and the view that they are for."""

    view: str
    kwargs: dict[str, str]
    fields: list[tuple[str, str]]

    @property
    def path(self) -> str:
        """Where the form is: made from the view's name, so that it never leads off the site."""
        return reverse(self.view, kwargs=self.kwargs)

    @property
    def packed(self) -> str:
        """For a hidden field of the sign-in page. Signed; whoever has the page can read it, as they could the form."""
        return signing.dumps([self.view, self.kwargs, self.fields], salt=SALT, compress=True)


def pending_form(request: HttpRequest) -> PendingForm | None:
    """What was typed into the form that this request sends, or that a sign-in carries along."""
    match = request.resolver_match
    if request.method != "POST" or match is None:
        return None
    if match.view_name in SIGN_IN_VIEWS:
        return _unpack(request.POST.get("typed", ""))
    if match.view_name not in FORM_PERMISSIONS:
        return None
    fields = [
        (name, str(value))
        for name, values in request.POST.lists()
        if name not in EXCLUDED_FIELDS
        for value in values
    ]
    if sum(len(name) + len(value) for name, value in fields) > MAX_LENGTH:
        return None
    kwargs = {name: str(value) for name, value in match.kwargs.items()}
    return PendingForm(match.view_name, kwargs, fields)


def same_origin_pending_form(request: HttpRequest) -> PendingForm | None:
    """The same, if the browser says that a page of this site sent it. Of a request whose token was not checked, or
    is wrong, nothing else may be shown again: another site could put its own values before a person."""
    site = request.headers.get("Sec-Fetch-Site")
    own = f"{request.scheme}://{request.get_host()}"
    is_own = site == "same-origin" if site else request.headers.get("Origin") == own
    return pending_form(request) if is_own else None


def session_ended_response(request: HttpRequest, typed: PendingForm) -> HttpResponse:
    """The sign-in page in the place of a form's answer. To htmx nothing that would replace the form."""
    if _is_htmx(request):
        return HttpResponse(status=401)
    context = {"form": AuthenticationForm(request), "next": typed.path, "typed": typed}
    return render(request, "registration/login.html", context, status=401)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """A form whose token is missing or older than the last sign-in. To htmx the same as when the session ended: the
    form's own way leads on."""
    typed = same_origin_pending_form(request)
    if typed and _is_htmx(request):
        return HttpResponse(status=401)
    return render(request, "403_csrf.html", {"typed": typed}, status=403)


def error_page_context(request: HttpRequest) -> dict[str, Any]:
    """The context of a page that has no request: what was typed, and a token, neither of which needs the database."""
    typed = same_origin_pending_form(request)
    return {"typed": typed, "csrf_token": get_token(request)} if typed else {}


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _unpack(token: str) -> PendingForm | None:
    """What a sign-in page carried along, or None if it is not ours or too old."""
    try:
        view, kwargs, fields = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except signing.BadSignature:
        return None
    return PendingForm(view, kwargs, [(name, value) for name, value in fields])
