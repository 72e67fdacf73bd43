"""Calls that read and change notifications, as the pages under /notifications/ do.

Addresses and signing secrets are in no answer, but for a new secret in the answer to the call that
creates it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Query, Router

from flows.api.access import require_scope
from flows.api.authentication import Caller
from flows.api.notification_bodies import (
    DeletionParameters,
    ListParameters,
    NewSecretBody,
    NotificationAct,
    NotificationBody,
    NotificationCreation,
    NotificationDetail,
    NotificationEdit,
    NotificationPage,
    message_body,
    notification_body,
)
from flows.api.paging import json_response, query_page
from flows.api.problems import API_PREFIX, Problem, clean_form, clean_reason, invalid
from flows.api.schemas import responses
from flows.audit import access
from flows.audit.access import Request, get_actor
from flows.notifications import message_rows, services
from flows.notifications.actions import NotificationAction
from flows.notifications.forms import SubscriptionForm
from flows.notifications.models import Message, Subscription
from flows.notifications.views import NAME_TAKEN, READ_LOG

router = Router(tags=["Notifications"])
_OPTIONAL_FIELDS = ("recipients", "url", "accounts")  # the form drops those that it doesn't take

_ACT_RESPONSES = responses({200: NotificationBody}, is_change=True)


@router.get(
    "notifications", response=responses({200: NotificationPage}), summary="List notifications"
)
def list_notifications(request: HttpRequest, parameters: Query[ListParameters]) -> HttpResponse:
    """List your own notifications, and those of the site if you manage them, the oldest first."""
    rows = _visible(_permitted(request)).order_by("pk")
    page, next_cursor = query_page(rows, parameters.cursor, parameters.limit, name="notifications")
    return json_response({"items": list(map(notification_body, page)), "next_cursor": next_cursor})


@router.post(
    "notifications",
    response=responses({201: NewSecretBody}, is_change=True),
    summary="Create a notification",
)
def create_notification(request: HttpRequest, body: Body[NotificationCreation]) -> HttpResponse:
    """Create a notification. The answer has the signing secret of a webhook, only this once."""
    api_request = _permitted(request, NotificationAction.CREATE)
    form = SubscriptionForm(_form_data(body.dict()), user=api_request.user)
    _clean(form, body.dict())
    try:
        subscription, secret = services.create(
            form.values,
            user=api_request.user,
            actor=get_actor(api_request),
            reason=form.cleaned_data["reason"],
        )
    except services.NameTaken:
        raise invalid({"name": [NAME_TAKEN]}) from None
    members = {"secret": secret or None}
    response = json_response(_load_body(api_request, subscription) | members, status=201)
    response["Location"] = f"{API_PREFIX}notifications/{subscription.pk}"
    return response


@router.get(
    "notifications/{int:notification_id}",
    response=responses({200: NotificationDetail}),
    summary="Read a notification",
)
def read_notification(
    request: HttpRequest, notification_id: int, parameters: Query[ListParameters]
) -> HttpResponse:
    """Return a notification with its messages and attempts, which come by cursor."""
    api_request = _permitted(request)
    subscription = _find(api_request, notification_id)
    latest = Message.objects.filter(subscription=subscription).order_by("-id")
    messages = latest.prefetch_related("attempts")
    page, next_cursor = query_page(
        messages, parameters.cursor, parameters.limit, name=f"notifications/{notification_id}"
    )
    rows = message_rows.build_rows(page, api_request.user)
    messages_page = {"messages": list(map(message_body, rows)), "next_cursor": next_cursor}
    return json_response(notification_body(subscription) | messages_page)


@router.patch(
    "notifications/{int:notification_id}", response=_ACT_RESPONSES, summary="Change a notification"
)
def edit_notification(
    request: HttpRequest, notification_id: int, body: Body[NotificationEdit]
) -> HttpResponse:
    """Change a notification. Its channel stays, and so does its address unless you send one."""
    api_request = _permitted(request, NotificationAction.CHANGE)
    subscription = _find(api_request, notification_id)
    if subscription.is_automatic:
        raise _not_possible("This notification is not edited.")
    values = {**_current_values(subscription), **body.dict(exclude_unset=True)}
    form = SubscriptionForm(_form_data(values), user=api_request.user, subscription=subscription)
    _clean(form, values)
    change = partial(services.change, values=form.values)
    try:
        return _act(api_request, subscription, change, form.cleaned_data["reason"])
    except services.NameTaken:
        raise invalid({"name": [NAME_TAKEN]}) from None


@router.post(
    "notifications/{int:notification_id}/enable",
    response=_ACT_RESPONSES,
    summary="Enable a notification",
)
def enable_notification(
    request: HttpRequest, notification_id: int, body: Body[NotificationAct]
) -> HttpResponse:
    """Send events from now on."""
    api_request = _permitted(request, NotificationAction.ENABLE)
    subscription = _find(api_request, notification_id)
    enable = partial(services.set_enabled, is_enabled=True)
    return _act(api_request, subscription, enable, clean_reason(body.reason))


@router.post(
    "notifications/{int:notification_id}/disable",
    response=_ACT_RESPONSES,
    summary="Disable a notification",
)
def disable_notification(
    request: HttpRequest, notification_id: int, body: Body[NotificationAct]
) -> HttpResponse:
    """Send nothing until it is enabled."""
    api_request = _permitted(request, NotificationAction.DISABLE)
    subscription = _find(api_request, notification_id)
    disable = partial(services.set_enabled, is_enabled=False)
    return _act(api_request, subscription, disable, clean_reason(body.reason))


@router.post(
    "notifications/{int:notification_id}/test",
    response=responses({202: NotificationBody}, is_change=True),
    summary="Test a notification",
)
def test_notification(
    request: HttpRequest, notification_id: int, body: Body[NotificationAct]
) -> HttpResponse:
    """Queue a test message. Read the notification to see if it arrived."""
    api_request = _permitted(request, NotificationAction.TEST)
    subscription = _find(api_request, notification_id)
    reason = clean_reason(body.reason)
    return _act(api_request, subscription, services.send_test, reason, status=202)


@router.post(
    "notifications/{int:notification_id}/rotate-secret",
    response=responses({200: NewSecretBody}, is_change=True),
    summary="Rotate the signing secret",
)
def rotate_notification_secret(
    request: HttpRequest, notification_id: int, body: Body[NotificationAct]
) -> HttpResponse:
    """Give a webhook a new signing secret. The previous one stays valid for 24 hours."""
    api_request = _permitted(request, NotificationAction.ROTATE)
    subscription = _find(api_request, notification_id)
    if not subscription.encrypted_secret:
        raise _not_possible("Only a webhook has a signing secret.")
    reason = clean_reason(body.reason)
    secret = _take(api_request, subscription, services.rotate_secret, reason)
    return json_response(_load_body(api_request, subscription) | {"secret": secret})


@router.delete(
    "notifications/{int:notification_id}",
    response=responses({204: None}, is_change=True),
    summary="Delete a notification",
)
def delete_notification(
    request: HttpRequest, notification_id: int, parameters: Query[DeletionParameters]
) -> HttpResponse:
    """Delete a notification with its messages. Those that wait are never sent."""
    api_request = _permitted(request, NotificationAction.DELETE)
    subscription = _find(api_request, notification_id)
    if subscription.is_automatic:
        raise _not_possible("This notification can be disabled, but not deleted.")
    reason = clean_reason(parameters.reason)
    _take(api_request, subscription, services.delete, reason)
    return HttpResponse(status=204)


@router.post(
    "notifications/{int:notification_id}/messages/{uuid:message_id}/replay",
    response=responses({202: NotificationBody}, is_change=True),
    summary="Send a message again",
)
def replay_message(
    request: HttpRequest, notification_id: int, message_id: uuid.UUID, body: Body[NotificationAct]
) -> HttpResponse:
    """Queue a finished message again, with the same id."""
    api_request = _permitted(request, NotificationAction.REPLAY)
    subscription = _find(api_request, notification_id)
    message = subscription.messages.filter(message_id=message_id).first()
    if message is None:
        raise Http404("There is no such message.")
    if message.finished_at is None:
        raise _not_possible("This message still waits to be sent.")

    def replay(_subscription: Subscription, **attribution: Any) -> None:
        services.replay(message, **attribution)

    return _act(api_request, subscription, replay, clean_reason(body.reason), status=202)


def _permitted(request: HttpRequest, action: NotificationAction | None = None) -> Request:
    """Return the request of a token that may read notifications, or change them with an action.

    A notification belongs to no account, so a token that is limited to accounts may do neither.
    Raise `PermissionDenied`. The denial of a change is logged.
    """
    api_request = require_scope(request, READ_LOG, action=action or "audit.view")
    caller = cast(Caller, getattr(request, "auth"))  # noqa: B009 - ninja sets it
    if action is not None and (caller.is_read_only or not caller.has_all_accounts):
        access.deny(api_request, action, {})
    if not caller.has_all_accounts:
        raise PermissionDenied
    return api_request


def _visible(request: Request) -> QuerySet[Subscription]:
    """Return the notifications that the user may see, with the numbers of their messages."""
    return services.with_message_counts(services.visible_subscriptions(request.user))


def _find(request: Request, notification_id: int) -> Subscription:
    """Return a notification that the user may see. Raise `Http404`."""
    subscription = _visible(request).filter(pk=notification_id).first()
    if subscription is None:
        raise _no_such_notification()
    return subscription


def _act(
    request: Request,
    subscription: Subscription,
    act: Callable[..., Any],
    reason: str,
    *,
    status: int = 200,
) -> HttpResponse:
    """Do what a user asked for, and return the notification as it is then."""
    _take(request, subscription, act, reason)
    return json_response(_load_body(request, subscription), status=status)


def _take(
    request: Request, subscription: Subscription, act: Callable[..., Any], reason: str
) -> Any:
    """Do what a user asked for. Raise `Http404` if the notification was deleted in the meantime."""
    try:
        return act(subscription, actor=get_actor(request), reason=reason)
    except Subscription.DoesNotExist:
        raise _no_such_notification() from None


def _no_such_notification() -> Http404:
    return Http404("There is no such notification.")


def _not_possible(sentence: str) -> Problem:
    return Problem(409, f"{sentence} Nothing was changed.", code="not_possible")


def _current_values(subscription: Subscription) -> dict[str, Any]:
    """Return the values as a body has them. The address is kept without one."""
    return {
        "name": subscription.name,
        "channel": subscription.channel,
        "recipients": subscription.recipients,
        "url": "",
        "actions": subscription.actions,
        "results": subscription.results,
        "accounts": subscription.account_sids,
        "query": subscription.query,
        "reason": "",
    }


def _form_data(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as the page's form sends them."""
    return {**values, "recipients": ", ".join(values["recipients"])}


def _clean(form: SubscriptionForm, values: dict[str, Any]) -> None:
    """Raise `Problem` for invalid values, and for those that the form would drop."""
    cleaned = clean_form(form)
    dropped = [name for name in _OPTIONAL_FIELDS if values[name] and not cleaned.get(name)]
    if dropped:
        raise invalid({name: ["This notification doesn't take it."] for name in dropped})


def _load_body(request: Request, subscription: Subscription) -> dict[str, Any]:
    return notification_body(_find(request, subscription.pk))
