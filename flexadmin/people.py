"""The pages of users and their roles, for administrators. What they do is in persons.py."""

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

from flexadmin import outside_rights, persons
from flexadmin.oidc import is_tie_of, issuer_of
from flexadmin.people_forms import PersonForm, ReasonForm, RolesForm
from flexadmin.roles import ROLES, outside_rights_of
from flows import accounts
from flows.models import Result, Stage
from flows.services import audit
from flows.services.audit import NotRecorded
from flows.views.requests import Request, actor_of

MANAGE: Final = "flexadmin.manage_people"
LAST_ADMIN: Final = "Nothing was changed: this is the last administrator. First make someone else an administrator who can sign in."
OWN: Final = "Nothing was changed. Change your own password and 2FA in Account settings."  # fmt: skip
NOT_RECORDED: Final = "Couldn’t write to the audit log, so nothing was changed."  # noqa: RUF001
View = Callable[..., HttpResponse]


def managed(action: str) -> Callable[[View], View]:
    """Lets in administrators of every account; the refusal of anybody else's change is recorded as `action`."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            request.account_sid = ""
            if not request.user.has_perm(MANAGE, accounts.EVERY):  # type: ignore[arg-type]  # our backend takes a SID
                if request.method != "GET":
                    record_refusal(request, action)
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def record_refusal(request: Request, action: str) -> None:
    """Puts on record that somebody may not do this to a person."""
    audit.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.DENIED,
        actor=actor_of(request),
        account_sid="",
        reason=request.POST.get("reason", ""),
    )


def factors_of(person: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=person).order_by("type", "pk"))


@require_GET
@managed("people.view")
def people_list(request: Request) -> HttpResponse:
    """All users, and of whom something was given outside this dashboard."""
    people = User.objects.order_by("-is_active", "username").prefetch_related(
        "groups", "account_roles__role", "authenticator_set", "socialaccount_set"
    )
    with_rights = set(outside_rights.users_with_any().values_list("pk", flat=True))
    rows = [
        {
            "person": person,
            "roles": _roles_in_words(person),
            "has_factor": any(
                one.type != Authenticator.Type.RECOVERY_CODES
                for one in person.authenticator_set.all()  # type: ignore[attr-defined]  # allauth has no types
            ),
            "ties": [one.uid for one in person.socialaccount_set.all()],  # type: ignore[attr-defined]
            "has_outside_rights": person.pk in with_rights,
        }
        for person in people
    ]
    return render(request, "people/list.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@managed(persons.CREATE)
def person_new(request: Request) -> HttpResponse:
    """Adds a person, and shows their one-time password, this once."""
    form = PersonForm(request.POST if request.method == "POST" else None, auto_id="new_%s")
    if request.method == "GET" or not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "people/new.html", {"form": form}, status=status)
    try:
        person, password = persons.invite(
            name=form.cleaned_data["name"],
            role=form.cleaned_data["role"],
            on_accounts=form.on_accounts,
            actor=actor_of(request),
            reason=form.cleaned_data["reason"],
        )
    except NotRecorded:
        context = {"form": form, "trouble": NOT_RECORDED}
        return render(request, "people/new.html", context, status=503)
    return _shown_once(request, person, password)


@require_GET
@managed("people.view")
def person_detail(request: Request, person_id: int) -> HttpResponse:
    return _page(request, get_object_or_404(User, pk=person_id))


@require_POST
@managed(persons.ROLE)
def person_role(request: Request, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    form = RolesForm(request.POST, person=person, auto_id="role_%s")
    if not form.is_valid():
        return _page(request, person, roles_form=form, status=422)
    return _do(
        request,
        person,
        lambda: persons.set_roles(
            person=person,
            role=form.cleaned_data["role"],
            on_accounts=form.on_accounts,
            actor=actor_of(request),
            reason=form.cleaned_data["reason"],
        ),
        done="Role changed. It takes effect on their next request.",
        roles_form=form,
    )


@require_POST
@managed(persons.DEACTIVATE)
def person_active(request: Request, person_id: int) -> HttpResponse:
    """`active`: "true" or "false"."""
    person = get_object_or_404(User, pk=person_id)
    is_active = request.POST.get("active") == "true"
    form = ReasonForm(request.POST, auto_id="active_%s")
    if not form.is_valid():
        return _page(request, person, active_form=form, status=422)
    return _do(
        request,
        person,
        lambda: persons.set_active(
            person=person, is_active=is_active, actor=actor_of(request), reason=form.cleaned_data["reason"]
        ),
        done="They can sign in again." if is_active else "They are signed out and can no longer sign in.",
        active_form=form,
    )


@require_POST
@managed(persons.RESET)
def person_factors(request: Request, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    if person == request.user:
        return _not_ones_own(request, persons.RESET)
    form = ReasonForm(request.POST, auto_id="factors_%s")
    if not form.is_valid():
        return _page(request, person, factors_form=form, status=422)
    return _do(
        request,
        person,
        lambda: persons.reset_factors(
            person=person, actor=actor_of(request), reason=form.cleaned_data["reason"]
        ),
        done="Removed. They are signed out and can set up 2FA again after signing in.",
        factors_form=form,
    )


@require_POST
@managed(persons.UNTIE)
def person_ties(request: Request, person_id: int) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    form = ReasonForm(request.POST, auto_id="ties_%s")
    if not form.is_valid():
        return _page(request, person, ties_form=form, status=422)
    return _do(
        request,
        person,
        lambda: persons.untie(person=person, actor=actor_of(request), reason=form.cleaned_data["reason"]),
        done="They are signed out and can no longer use single sign-on.",
        ties_form=form,
    )


@require_POST
@managed(persons.REMOVE_RIGHTS)
def person_rights(request: Request, person_id: int) -> HttpResponse:
    """Take away what a user was given outside this dashboard."""
    person = get_object_or_404(User, pk=person_id)
    form = ReasonForm(request.POST, auto_id="rights_%s")
    if not form.is_valid():
        return _page(request, person, rights_form=form, status=422)
    return _do(
        request,
        person,
        lambda: persons.remove_outside_rights(
            person=person, actor=actor_of(request), reason=form.cleaned_data["reason"]
        ),
        done="Removed. Their roles stay as they are.",
        rights_form=form,
    )


@require_POST
@managed(persons.PASSWORD)
def person_password(request: Request, person_id: int) -> HttpResponse:
    """Sets a one-time password and shows it, this once."""
    person = get_object_or_404(User, pk=person_id)
    if person == request.user:
        return _not_ones_own(request, persons.PASSWORD)
    form = ReasonForm(request.POST, auto_id="password_%s")
    if not form.is_valid():
        return _page(request, person, password_form=form, status=422)
    try:
        password = persons.set_one_time_password(
            person=person, actor=actor_of(request), reason=form.cleaned_data["reason"]
        )
    except NotRecorded:
        return _page(request, person, trouble=NOT_RECORDED, password_form=form, status=503)
    return _shown_once(request, person, password)


def _not_ones_own(request: Request, action: str) -> HttpResponse:
    """An open session that somebody else has got hold of is no way to a password, or past a second factor."""
    record_refusal(request, action)
    return _page(request, request.user, trouble=OWN, status=403)


def _shown_once(request: Request, person: User, password: str) -> HttpResponse:
    context = {"person": person, "password": password, "hours": settings.ONE_TIME_PASSWORD_HOURS}
    return render(request, "people/one_time.html", context)


def _do(
    request: Request, person: User, change: Callable[[], Any], *, done: str, **form: forms.Form
) -> HttpResponse:
    try:
        change()
    except persons.LastAdmin:
        return _page(request, person, trouble=LAST_ADMIN, status=409, **form)
    except NotRecorded:
        return _page(request, person, trouble=NOT_RECORDED, status=503, **form)
    messages.success(request, done)
    return redirect("person", person_id=person.pk)


def _page(
    request: Request, person: User, *, trouble: str = "", status: int = 200, **bound: forms.Form
) -> HttpResponse:
    issuer = issuer_of(settings.SOCIALACCOUNT_PROVIDERS)
    context = {
        "person": person,
        "roles": _roles_in_words(person),
        "factors": factors_of(person),
        "ties": [{"tie": tie, "is_current": is_tie_of(issuer, tie)} for tie in persons.ties_of(person)],
        "rights": outside_rights_of(person),
        "trouble": trouble,
        "is_me": person == request.user,
        "roles_form": RolesForm(person=person, auto_id="role_%s"),
        "active_form": ReasonForm(auto_id="active_%s"),
        "factors_form": ReasonForm(auto_id="factors_%s"),
        "ties_form": ReasonForm(auto_id="ties_%s"),
        "rights_form": ReasonForm(auto_id="rights_%s"),
        "password_form": ReasonForm(auto_id="password_%s"),
        **bound,
    }
    context["is_wrong"] = any(form.errors for form in bound.values())
    return render(request, "people/person.html", context, status=status)


def _roles_in_words(person: User) -> list[str]:
    """ "admin", "viewer on Staging" …, of a person whose groups and account roles may be there already."""
    names = {account.sid: str(account) for account in accounts.every()}
    everywhere = [group.name for group in person.groups.all() if group.name in ROLES]
    return everywhere + [
        f"{one.role.name} on {names.get(one.account_sid, one.account_sid)}"
        for one in person.account_roles.all()
        if one.role.name in ROLES
    ]
