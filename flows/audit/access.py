"""What every view does with a request: who asks, and whether they may. A refusal goes on record."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from flexadmin import typed
from flexadmin.roles import role_of, scope_of
from flows.accounts import clients, twilio_accounts
from flows.audit import audit_log, log_entries
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.availability import restrictions
from flows.mirror import lookup
from flows.mirror.models import Flow
from flows.twilio.flex.flex_flow import Snapshot


class Request(HttpRequest):
    """A request as it reaches a view here: signed in, and with htmx's headers read."""

    htmx: HtmxDetails
    user: User
    account_sid: str  # of what it is about: a flow, an event; empty where it is about none, or several
    states: dict[str, restrictions.State]  # what is closed of each account, where the view has asked for it
    scope: twilio_accounts.Scope  # the accounts where the person may do what the page is for
    readings: dict[str, Snapshot]  # flows by SID that this request has read from Twilio already


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
    """Lets in those who have the permission on each account that the address is about (on any, if it is about
    none); `everywhere`: what concerns every account; the refusal of anybody else is recorded as `action`,
    denied. A flow that nobody here knows is first looked for in the accounts that the person may see."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.account_sid, request.readings = "", {}
            request.scope = scope_of(request.user, permission)
            about = [twilio_accounts.EVERY] if everywhere else _accounts_of(kwargs)
            sid = str(kwargs.get("sid", ""))
            if sid and not about and may_somewhere(request.user, permission):
                found = lookup.find(sid, scope=scope_of(request.user, "flows.view_flow"))
                if found.account is None or found.snapshot is None:
                    return _not_found(request, sid, found)
                about, request.readings[sid] = [found.account.sid], found.snapshot
            request.account_sid = about[0] if len(about) == 1 and about[0] != twilio_accounts.EVERY else ""
            if not may_on_each(request.user, permission, about):
                if request.method != "GET":
                    record_refusal(request, action, kwargs)
                request.account_sid = ""  # the page that says no tells nothing of it
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def may(user: User, permission: str, account_sid: str) -> bool:
    """Return whether the user has the permission on that account; of what belongs to no account, on every
    one."""
    return user.has_perm(permission, account_sid or twilio_accounts.EVERY)  # type: ignore[arg-type]  # our backend takes a SID


def may_somewhere(user: User, permission: str) -> bool:
    """Return whether the user has the permission on any account."""
    return user.has_perm(permission)


def may_on_each(user: User, permission: str, account_sids: list[str]) -> bool:
    """Return whether the user has the permission on each of these accounts; on any, if there is none."""
    if not account_sids:
        return may_somewhere(user, permission)
    return all(may(user, permission, sid) for sid in account_sids)


def _not_found(request: Request, sid: str, found: lookup.Lookup) -> HttpResponseBase:
    """The page about a flow that no account has, or that not every account could be asked for."""
    context = {"sid": sid, "found": found, "typed": typed.sent(request)}
    return render(request, "flows/not_found.html", context, status=502 if found.unasked else 404)


def record_refusal(request: Request, action: str, kwargs: dict[str, Any]) -> None:
    """Puts on record that somebody may not do this."""
    sid = str(kwargs.get("sid", ""))
    flow = Flow.objects.filter(sid=sid).first()
    audit_log.append(
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
    """The accounts of the flow or the event that an address names: none where it names none, or a flow that nobody
    here knows. An event of no single account is for users of every account, as it is in the log's list."""
    if sid := kwargs.get("sid"):
        owner = clients.account_of(str(sid))
        return [owner] if owner else []
    if event_id := kwargs.get("event_id"):
        found = AuditEvent.objects.filter(event_id=event_id).values_list("action", "account_sid").first()
        return [log_entries.account_of(*found) or twilio_accounts.EVERY] if found else []
    return []
