"""Views of a user's own API tokens: create and revoke."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from flexadmin.models import ApiToken
from flexadmin.users import api_tokens
from flexadmin.users.token_forms import TokenForm
from flexadmin.users.views import NOT_RECORDED_MESSAGE
from flows.accounts.permissions import has_permission_anywhere
from flows.audit.access import Request, get_actor
from flows.audit.views.unrecorded import page_if_unrecorded


@require_http_methods(["GET", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
@sensitive_variables("credentials")
def token_create(request: Request) -> HttpResponse:
    """Create an API token and show its `key.secret` once."""
    request.account_sid = ""
    if not has_permission_anywhere(request.user, "flows.view_flow"):
        raise PermissionDenied("Only users with a role can have API tokens.")
    form = TokenForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, form, status=422 if form.is_bound else 200)
    try:
        with page_if_unrecorded(lambda: _form_page(request, form, NOT_RECORDED_MESSAGE, 503)):
            token, credentials = api_tokens.create_token(
                request.user, form.new_token, actor=get_actor(request)
            )
    except api_tokens.TooManyTokens:
        message = f"You have {api_tokens.MAX_TOKENS} API tokens. Revoke one first."
        return _form_page(request, form, message, 409)
    context = {"token": token, "credentials": credentials}
    return render(request, "people/token_created.html", context)


@require_POST
def token_revoke(request: Request, token_id: int) -> HttpResponse:
    """Revoke one of the user's own tokens."""
    request.account_sid = ""
    token = get_object_or_404(ApiToken, person=request.user, pk=token_id)
    api_tokens.revoke_token(token, actor=get_actor(request))
    messages.success(request, f"Revoked “{token}”. Requests with it are refused from now on.")
    return redirect("me")


def _form_page(
    request: Request, form: TokenForm, error: str = "", status: int = 200
) -> HttpResponse:
    return render(request, "people/token_new.html", {"form": form, "error": error}, status=status)
