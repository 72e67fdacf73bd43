"""Pages for administrators to manage users and their roles. The changes are in services.py."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flexadmin.signin.oidc_settings import configured_issuer, is_uid_of_issuer
from flexadmin.users import outside_rights, services
from flexadmin.users.forms import NewUserForm, ReasonForm, RolesForm
from flexadmin.users.roles import ROLES, find_outside_rights
from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.audit.access import Request, get_actor
from flows.audit.audit_log import NotRecorded
from flows.audit.models import Result, Stage

MANAGE_USERS: Final = "flexadmin.manage_people"
LAST_ADMIN_MESSAGE: Final = (
    "Nothing was changed: this is the last administrator. "
    "First make someone else an administrator who can sign in."
)
OWN_ACCOUNT_MESSAGE: Final = (
    "Nothing was changed. Change your own password and 2FA in Account settings."
)
NOT_RECORDED_MESSAGE: Final = "Couldn’t write to the audit log, so nothing was changed."  # noqa: RUF001
View = Callable[..., HttpResponse]


def require_user_manager(action: str) -> Callable[[View], View]:
    """Restrict a view to users who may manage users on every account.

    A refused change by anyone else is recorded as `action`.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            request.account_sid = ""
            # Our backend takes an account's SID as the object.
            if not request.user.has_perm(MANAGE_USERS, twilio_accounts.ALL_ACCOUNTS):  # type: ignore[arg-type]
                if request.method != "GET":
                    record_refusal(request, action)
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def record_refusal(request: Request, action: str) -> None:
    """Record that the user was refused a change of a user."""
    audit_log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.DENIED,
        actor=get_actor(request),
        account_sid="",
        reason=request.POST.get("reason", ""),
    )


def get_factors(person: User) -> list[Authenticator]:
    """Return the user's second factors, recovery codes included."""
    return list(Authenticator.objects.filter(user=person).order_by("type", "pk"))


@require_GET
@require_user_manager("people.view")
def user_list(request: Request) -> HttpResponse:
    """List all users, with a mark for those who have rights from outside this dashboard."""
    people = User.objects.order_by("-is_active", "username").prefetch_related(
        "groups", "account_roles__role", "authenticator_set", "socialaccount_set"
    )
    with_rights = set(outside_rights.users_with_outside_rights().values_list("pk", flat=True))
    rows = [
        {
            "person": person,
            "roles": _role_labels(person),
            "has_factor": any(
                one.type != Authenticator.Type.RECOVERY_CODES
                for one in person.authenticator_set.all()  # type: ignore[attr-defined]
            ),
            "ties": [one.uid for one in person.socialaccount_set.all()],  # type: ignore[attr-defined]
            "has_outside_rights": person.pk in with_rights,
        }
        for person in people
    ]
    return render(request, "people/list.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require_user_manager(services.CREATE)
def user_create(request: Request) -> HttpResponse:
    """Create a user and show their temporary password once."""
    form = NewUserForm(request.POST if request.method == "POST" else None, auto_id="new_%s")
    if request.method == "GET" or not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "people/new.html", {"form": form}, status=status)
    try:
        person, password = services.invite_user(
            name=form.cleaned_data["name"],
            role=form.cleaned_data["role"],
            on_accounts=form.on_accounts,
            actor=get_actor(request),
            reason=form.cleaned_data["reason"],
        )
    except NotRecorded:
        context = {"form": form, "trouble": NOT_RECORDED_MESSAGE}
        return render(request, "people/new.html", context, status=503)
    return _temporary_password_page(request, person, password)


@require_GET
@require_user_manager("people.view")
def user_detail(request: Request, person_id: int) -> HttpResponse:
    return _user_page(request, get_object_or_404(User, pk=person_id))


@require_POST
@require_user_manager(services.SET_ROLES)
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
@require_user_manager(services.DEACTIVATE)
def change_user_active(request: Request, person_id: int) -> HttpResponse:
    """Activate or deactivate a user. The POST field `active` is "true" or "false"."""
    person = get_object_or_404(User, pk=person_id)
    is_active = request.POST.get("active") == "true"
    form = ReasonForm(request.POST, auto_id="active_%s")
    if not form.is_valid():
        return _user_page(request, person, active_form=form, status=422)
    message = "They are signed out and can no longer sign in."
    if is_active:
        message = "They can sign in again."
    return _apply_change(
        request,
        person,
        lambda: services.set_active(
            person=person,
            is_active=is_active,
            actor=get_actor(request),
            reason=form.cleaned_data["reason"],
        ),
        success_message=message,
        active_form=form,
    )


@require_POST
@require_user_manager(services.RESET_FACTORS)
def reset_user_factors(request: Request, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    if person == request.user:
        return _refuse_own_account(request, services.RESET_FACTORS)
    form = ReasonForm(request.POST, auto_id="factors_%s")
    if not form.is_valid():
        return _user_page(request, person, factors_form=form, status=422)
    return _apply_change(
        request,
        person,
        lambda: services.reset_factors(
            person=person, actor=get_actor(request), reason=form.cleaned_data["reason"]
        ),
        success_message="Removed. They are signed out and can set up 2FA again after signing in.",
        factors_form=form,
    )


@require_POST
@require_user_manager(services.UNLINK_SSO)
def unlink_user_sso(request: Request, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    form = ReasonForm(request.POST, auto_id="ties_%s")
    if not form.is_valid():
        return _user_page(request, person, sso_form=form, status=422)
    return _apply_change(
        request,
        person,
        lambda: services.unlink_sso(
            person=person, actor=get_actor(request), reason=form.cleaned_data["reason"]
        ),
        success_message="They are signed out and can no longer use single sign-on.",
        sso_form=form,
    )


@require_POST
@require_user_manager(services.REMOVE_RIGHTS)
def remove_user_rights(request: Request, person_id: int) -> HttpResponse:
    """Remove the rights that a user was granted outside this dashboard."""
    person = get_object_or_404(User, pk=person_id)
    form = ReasonForm(request.POST, auto_id="rights_%s")
    if not form.is_valid():
        return _user_page(request, person, rights_form=form, status=422)
    return _apply_change(
        request,
        person,
        lambda: services.remove_outside_rights(
            person=person, actor=get_actor(request), reason=form.cleaned_data["reason"]
        ),
        success_message="Removed. Their roles stay as they are.",
        rights_form=form,
    )


@require_POST
@require_user_manager(services.SET_PASSWORD)
def reset_user_password(request: Request, person_id: int) -> HttpResponse:
    """Set a temporary password and show it once."""
    person = get_object_or_404(User, pk=person_id)
    if person == request.user:
        return _refuse_own_account(request, services.SET_PASSWORD)
    form = ReasonForm(request.POST, auto_id="password_%s")
    if not form.is_valid():
        return _user_page(request, person, password_form=form, status=422)
    try:
        password = services.generate_temporary_password(
            person=person, actor=get_actor(request), reason=form.cleaned_data["reason"]
        )
    except NotRecorded:
        return _user_page(
            request, person, trouble=NOT_RECORDED_MESSAGE, password_form=form, status=503
        )
    return _temporary_password_page(request, person, password)


def _refuse_own_account(request: Request, action: str) -> HttpResponse:
    """Refuse and record an administrator's reset of their own password or second factors.

    A stolen session must not lead to a password or past a second factor.
    """
    record_refusal(request, action)
    return _user_page(request, request.user, trouble=OWN_ACCOUNT_MESSAGE, status=403)


def _temporary_password_page(request: Request, person: User, password: str) -> HttpResponse:
    context = {"person": person, "password": password, "hours": settings.ONE_TIME_PASSWORD_HOURS}
    return render(request, "people/one_time.html", context)


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
        change()
    except services.LastAdmin:
        return _user_page(request, person, trouble=LAST_ADMIN_MESSAGE, status=409, **bound_form)
    except NotRecorded:
        return _user_page(request, person, trouble=NOT_RECORDED_MESSAGE, status=503, **bound_form)
    messages.success(request, success_message)
    return redirect("person", person_id=person.pk)


def _user_page(
    request: Request,
    person: User,
    *,
    trouble: str = "",
    status: int = 200,
    **bound_forms: forms.Form,
) -> HttpResponse:
    """Render the user's page. `bound_forms` replace empty forms by submitted ones."""
    issuer = configured_issuer(settings.SOCIALACCOUNT_PROVIDERS)
    context = {
        "person": person,
        "roles": _role_labels(person),
        "factors": get_factors(person),
        "ties": [
            {"tie": uid, "is_current": is_uid_of_issuer(issuer, uid)}
            for uid in services.sso_identities(person)
        ],
        "rights": find_outside_rights(person),
        "trouble": trouble,
        "is_me": person == request.user,
        "roles_form": RolesForm(person=person, auto_id="role_%s"),
        "active_form": ReasonForm(auto_id="active_%s"),
        "factors_form": ReasonForm(auto_id="factors_%s"),
        "sso_form": ReasonForm(auto_id="ties_%s"),
        "rights_form": ReasonForm(auto_id="rights_%s"),
        "password_form": ReasonForm(auto_id="password_%s"),
        **bound_forms,
    }
    context["is_wrong"] = any(form.errors for form in bound_forms.values())
    return render(request, "people/person.html", context, status=status)


def _role_labels(person: User) -> list[str]:
    """Return a user's roles, such as "admin" or "viewer on Staging".

    It filters in Python, so that prefetched groups and account roles are used.
    """
    names = {account.sid: str(account) for account in twilio_accounts.all_accounts()}
    labels = [group.name for group in person.groups.all() if group.name in ROLES]
    account_roles = [one for one in person.account_roles.all() if one.role.name in ROLES]
    labels += [
        f"{one.role.name} on {names.get(one.account_sid, one.account_sid)}" for one in account_roles
    ]
    return labels
