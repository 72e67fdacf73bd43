"""What every view does with a request: who asks, and whether they may. A refusal goes on record."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxDetails

from flexadmin.roles import role_of
from flows.models import Flow, Result, Stage
from flows.services import audit
from flows.services.audit import Actor, Payload


class Request(HttpRequest):
    """A request as it reaches a view here: signed in, and with htmx's headers read."""

    htmx: HtmxDetails
    user: User


View = Callable[..., HttpResponseBase]


def actor_of(request: HttpRequest) -> Actor:
    """The person and the place behind a request, as the audit log keeps them."""
    user = request.user
    return Actor(
        id=str(user.pk or ""),
        label=user.get_username(),
        role=role_of(user),
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=request.META.get("REQUEST_ID"),
    )


def permitted(permission: str, *, action: str) -> Callable[[View], View]:
    """Lets in those who have the permission; the refusal of anybody else is recorded as `action`, denied."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                if request.method != "GET":
                    record_refusal(request, action, kwargs)
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def record_refusal(request: Request, action: str, kwargs: dict[str, Any]) -> None:
    """Puts on record that somebody may not do this."""
    sid = str(kwargs.get("sid", ""))
    flow = Flow.objects.filter(sid=sid).first()
    audit.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.DENIED,
        actor=actor_of(request),
        target_sid=sid,
        reason=request.POST.get("reason", ""),
        payload=Payload(
            friendly_name=flow.friendly_name if flow else "",
            contact_identity=flow.contact_identity if flow else "",
        ),
    )
