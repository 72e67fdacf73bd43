"""What every view does with a request: who asks, and whether they may. A refusal goes on record."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxDetails

from flexadmin.roles import role_of, scope_of
from flows import accounts
from flows.models import AuditEvent, Flow, PlannedChange, Result, Stage
from flows.services import audit, closures, twilio
from flows.services.audit import Actor, Payload

OF_THE_SITE: Final = (
    "auth.",
    "people.",
)  # how the actions begin that are about no account, whatever is kept with them


class Request(HttpRequest):
    """A request as it reaches a view here: signed in, and with htmx's headers read."""

    htmx: HtmxDetails
    user: User
    account_sid: str  # of what it is about: a flow, an event; empty where it is about none, or several
    states: dict[str, closures.State]  # what is closed of each account, where the view has asked for it
    scope: accounts.Scope  # the accounts where the person may do what the page is for


View = Callable[..., HttpResponseBase]


def actor_of(request: HttpRequest) -> Actor:
    """The person and the place behind a request, as the audit log keeps them: with the role that they have where
    they act."""
    user = request.user
    return Actor(
        id=str(user.pk or ""),
        label=user.get_username(),
        role=role_of(user, getattr(request, "account_sid", "")),
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=request.META.get("REQUEST_ID"),
    )


def current_page(request: Request) -> SplitResult:
    """The address of the page that htmx sent the request from; an empty one if the header, which comes from outside,
    has no address in it."""
    try:
        return urlsplit(request.htmx.current_url or "")
    except ValueError:
        return urlsplit("")


def permitted(permission: str, *, action: str, everywhere: bool = False) -> Callable[[View], View]:
    """Lets in those who have the permission on each account that the address is about (on any, if it is about none);
    `everywhere`: what concerns every account; the refusal of anybody else is recorded as `action`, denied."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            about = [accounts.EVERY] if everywhere else _accounts_of(kwargs)
            request.account_sid = about[0] if len(about) == 1 and about[0] != accounts.EVERY else ""
            request.scope = scope_of(request.user, permission)
            if not all(may(request.user, permission, sid) for sid in about):
                if request.method != "GET":
                    record_refusal(request, action, kwargs)
                request.account_sid = ""  # the page that says no tells nothing of it
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def may(user: User, permission: str, account_sid: str = "") -> bool:
    """Whether the person has the permission on that account; without one, on any."""
    return user.has_perm(permission, account_sid or None)  # type: ignore[arg-type]  # our backend takes a SID


def record_refusal(request: Request, action: str, kwargs: dict[str, Any]) -> None:
    """Puts on record that somebody may not do this."""
    sid = str(kwargs.get("sid", ""))
    flow = Flow.objects.filter(sid=sid).first()
    audit.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.DENIED,
        actor=actor_of(request),
        account_sid=request.account_sid or None,
        target_sid=sid,
        reason=request.POST.get("reason", ""),
        payload=Payload(
            friendly_name=flow.friendly_name if flow else "",
            contact_identity=flow.contact_identity if flow else "",
        ),
    )


def _accounts_of(kwargs: dict[str, Any]) -> list[str]:
    """The accounts of the flow, the event or the plan that an address names: one that is empty where it names none.
    An event of no account is of everybody's."""
    if sid := kwargs.get("sid"):
        return [twilio.account_of(str(sid))]
    if event_id := kwargs.get("event_id"):
        found = AuditEvent.objects.filter(event_id=event_id).values_list("account_sid", "action").first()
        account_sid, action = found or ("", "")
        if accounts.sole() is None and (not account_sid or action.startswith(OF_THE_SITE)):
            return [accounts.EVERY]
        return [account_sid]
    if plan_id := kwargs.get("plan_id"):
        return accounts_of_plan(plan_id) or [""]
    return [""]


def accounts_of_plan(plan_id: Any) -> list[str]:
    """The accounts of a plan's flows; what names none is left out of the plan."""
    planned = PlannedChange.objects.filter(plan=plan_id).exclude(account_sid="")
    return list(planned.order_by().values_list("account_sid", flat=True).distinct())
