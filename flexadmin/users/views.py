"""Pages for administrators to manage users and their roles. The changes are in services.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flexadmin.models import ApiToken
from flexadmin.signin.oidc_settings import configured_issuer, is_uid_of_issuer
from flexadmin.users import outside_rights, services
from flexadmin.users.access import record_refusal, require_user_manager
from flexadmin.users.actions import UserAction
from flexadmin.users.forms import NewUserForm, ReasonForm, RolesForm
from flexadmin.users.roles import ROLES, find_outside_rights, get_scope
from flows.accounts import twilio_accounts
from flows.audit.access import Request, get_actor
from flows.audit.views.unrecorded import page_if_unrecorded

LAST_ADMIN_MESSAGE: Final = (
    "Nothing was changed: this is the last administrator. "
    "First make someone else an administrator who can sign in."
)
OWN_ACCOUNT_MESSAGE: Final = (
    "Nothing was changed. Change your own password and 2FA in Account settings."
)
NOT_RECORDED_MESSAGE: Final = "Couldn’t write to the audit log, so nothing was changed."  # noqa: RUF001
# Forms with nothing but a reason on a user's page: their names in the context, and their HTML ids.
REASON_FORM_IDS: Final = {
    "active_form": "active_%s",
    "factors_form": "factors_%s",
    "sso_form": "sso_%s",
    "rights_form": "rights_%s",
    "password_form": "password_%s",
    "tokens_form": "tokens_%s",
}


def get_factors(person: User) -> list[Authenticator]:
    """Return the user's second factors, recovery codes included."""
    return list(Authenticator.objects.filter(user=person).order_by("type", "pk"))


@require_GET
@require_user_manager()
def user_list(request: Request) -> HttpResponse:
    """List all users, with a mark for those who have rights from outside this dashboard."""
    people = User.objects.order_by("-is_active", "username").prefetch_related(
        "groups", "account_roles__role", "authenticator_set", "socialaccount_set"
    )
    people = people.select_related("profile")
    with_rights = set(outside_rights.users_with_outside_rights().values_list("pk", flat=True))
    rows = [
        {
            "person": person,
            "roles": get_role_labels(person),
            "has_factor": any(
                one.type != Authenticator.Type.RECOVERY_CODES
                for one in person.authenticator_set.all()  # type: ignore[attr-defined]
            ),
            "sso_identities": [one.uid for one in person.socialaccount_set.all()],  # type: ignore[attr-defined]
            "has_outside_rights": person.pk in with_rights,
        }
        for person in people
    ]
    return render(request, "people/list.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require_user_manager(UserAction.CREATE)
def user_create(request: Request) -> HttpResponse:
    """Create a user and show their temporary password once."""
    form = NewUserForm(request.POST if request.method == "POST" else None, auto_id="new_%s")
    if request.method == "GET" or not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "people/new.html", {"form": form}, status=status)
    context = {"form": form, "error": NOT_RECORDED_MESSAGE}
    with page_if_unrecorded(lambda: render(request, "people/new.html", context, status=503)):
        person, password = services.invite_user(
            name=form.cleaned_data["name"],
            role=form.cleaned_data["role"],
            on_accounts=form.on_accounts,
            actor=get_actor(request),
            reason=form.cleaned_data["reason"],
        )
    return _temporary_password_page(request, person, password)


@require_GET
@require_user_manager()
def user_detail(request: Request, person_id: int) -> HttpResponse:
    return _user_page(request, get_object_or_404(User, pk=person_id))


@require_POST
@require_user_manager(UserAction.SET_ROLES)
def change_user_roles(request: Request, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    form = RolesForm(request.POST, person=person, auto_id="role_%s")
    if not form.is_valid():
        return _user_page(request, person, roles_form=form, status=422)
    return _apply_change(
        request,
        person,
        lambda: services.set_roles(
            person=person,
            role=form.cleaned_data["role"],
            on_accounts=form.on_accounts,
            actor=get_actor(request),
            reason=form.cleaned_data["reason"],
        ),
        success_message="Role changed. It takes effect on their next request.",
        roles_form=form,
    )


@require_POST
@require_user_manager(UserAction.DEACTIVATE)
def change_user_active(request: Request, person_id: int) -> HttpResponse:
    """Activate or deactivate a user. The POST field `active` is "true" or "false"."""
    is_active = request.POST.get("active") == "true"
    message = "They are signed out and can no longer sign in."
    if is_active:
        message = "They can sign in again."
    return _change_with_reason(
        request,
        get_object_or_404(User, pk=person_id),
        partial(services.set_active, is_active=is_active),
        form_name="active_form",
        success_message=message,
    )


@require_POST
@require_user_manager(UserAction.RESET_FACTORS)
def reset_user_factors(request: Request, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    if person == request.user:
        return _refuse_own_account(request, UserAction.RESET_FACTORS)
    return _change_with_reason(
        request,
        person,
        services.reset_factors,
        form_name="factors_form",
        success_message="Removed. They are signed out and can set up 2FA again after signing in.",
    )


@require_POST
@require_user_manager(UserAction.UNLINK_SSO)
def unlink_user_sso(request: Request, person_id: int) -> HttpResponse:
    return _change_with_reason(
        request,
        get_object_or_404(User, pk=person_id),
        services.unlink_sso,
        form_name="sso_form",
        success_message="They are signed out and can no longer use single sign-on.",
    )


@require_POST
@require_user_manager(UserAction.REMOVE_RIGHTS)
def remove_user_rights(request: Request, person_id: int) -> HttpResponse:
    """Remove the rights that a user was granted outside this dashboard."""
    return _change_with_reason(
        request,
        get_object_or_404(User, pk=person_id),
        services.remove_outside_rights,
        form_name="rights_form",
        success_message="Removed. Their roles stay as they are.",
    )


@require_POST
@require_user_manager(UserAction.REVOKE_TOKEN)
def revoke_user_tokens(request: Request, person_id: int) -> HttpResponse:
    """Revoke all API tokens of a user."""
    return _change_with_reason(
        request,
        get_object_or_404(User, pk=person_id),
        services.revoke_all_tokens,
        form_name="tokens_form",
        success_message="Revoked. Requests with these tokens are refused from now on.",
    )


@require_POST
@require_user_manager(UserAction.SET_PASSWORD)
def reset_user_password(request: Request, person_id: int) -> HttpResponse:
    """Set a temporary password and show it once."""
    person = get_object_or_404(User, pk=person_id)
    if person == request.user:
        return _refuse_own_account(request, UserAction.SET_PASSWORD)
    form = ReasonForm(request.POST, auto_id=REASON_FORM_IDS["password_form"])
    if not form.is_valid():
        return _user_page(request, person, password_form=form, status=422)
    with page_if_unrecorded(lambda: _not_recorded_page(request, person, password_form=form)):
        password = services.generate_temporary_password(
            person=person, actor=get_actor(request), reason=form.cleaned_data["reason"]
        )
    return _temporary_password_page(request, person, password)


def _refuse_own_account(request: Request, action: str) -> HttpResponse:
    """Refuse and record an administrator's reset of their own password or second factors.

    A stolen session must not lead to a password or past a second factor.
    """
    record_refusal(request, action)
    return _user_page(request, request.user, error=OWN_ACCOUNT_MESSAGE, status=403)


def _temporary_password_page(request: Request, person: User, password: str) -> HttpResponse:
    context = {"person": person, "password": password, "hours": settings.ONE_TIME_PASSWORD_HOURS}
    return render(request, "people/temporary_password.html", context)


def _change_with_reason(
    request: Request,
    person: User,
    change: Callable[..., Any],
    *,
    form_name: str,
    success_message: str,
) -> HttpResponse:
    """Make a change that takes nothing but a reason, with the form of that name in the context."""
    form = ReasonForm(request.POST, auto_id=REASON_FORM_IDS[form_name])
    bound_form: dict[str, forms.Form] = {form_name: form}
    if not form.is_valid():
        return _user_page(request, person, error="", status=422, **bound_form)
    reason = form.cleaned_data["reason"]
    return _apply_change(
        request,
        person,
        partial(change, person=person, actor=get_actor(request), reason=reason),
        success_message=success_message,
        **bound_form,
    )


def _apply_change(
    request: Request,
    person: User,
    change: Callable[[], Any],
    *,
    success_message: str,
    **bound_form: forms.Form,
) -> HttpResponse:
    """Make a change and redirect to the user's page, or show that page with the error.

    `bound_form` is the submitted form under its name in the template context.
    """
    try:
        with page_if_unrecorded(lambda: _not_recorded_page(request, person, **bound_form)):
            change()
    except services.LastAdmin:
        return _user_page(request, person, error=LAST_ADMIN_MESSAGE, status=409, **bound_form)
    messages.success(request, success_message)
    return redirect("person", person_id=person.pk)


def _not_recorded_page(request: Request, person: User, **bound_form: forms.Form) -> HttpResponse:
    return _user_page(request, person, error=NOT_RECORDED_MESSAGE, status=503, **bound_form)


def _user_page(
    request: Request,
    person: User,
    *,
    error: str = "",
    status: int = 200,
    **bound_forms: forms.Form,
) -> HttpResponse:
    """Render the user's page. `bound_forms` replace empty forms by submitted ones."""
    issuer = configured_issuer(settings.SOCIALACCOUNT_PROVIDERS)
    context = {
        "person": person,
        "roles": get_role_labels(person),
        "has_account": _has_account(person),
        "factors": get_factors(person),
        "sso_identities": [
            {"uid": uid, "is_current": is_uid_of_issuer(issuer, uid)}
            for uid in services.sso_identities(person)
        ],
        "rights": find_outside_rights(person),
        "tokens": list(ApiToken.objects.filter(person=person)),
        "error": error,
        "is_own": person == request.user,
        "roles_form": RolesForm(person=person, auto_id="role_%s"),
        **{name: ReasonForm(auto_id=auto_id) for name, auto_id in REASON_FORM_IDS.items()},
        **bound_forms,
    }
    context["has_errors"] = any(form.errors for form in bound_forms.values())
    return render(request, "people/person.html", context, status=status)


def _has_account(person: User) -> bool:
    """Return True if a role lets the user see an account that the site has."""
    scope = get_scope(person, "flows.view_flow")
    return bool(twilio_accounts.visible_accounts(scope))


def get_role_labels(person: User) -> list[str]:
    """Return a user's roles, such as "admin" or "viewer on Staging".

    It filters in Python, so that prefetched groups and account roles are used.
    """
    labels = [group.name for group in person.groups.all() if group.name in ROLES]
    account_roles = [one for one in person.account_roles.all() if one.role.name in ROLES]
    labels += [
        f"{one.role.name} on {twilio_accounts.account_label(one.account_sid)}"
        for one in account_roles
    ]
    return labels
