"""The pages of notifications: subscriptions, their messages with all attempts, and their changes."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flows.audit import audit_log
from flows.audit.access import Request, get_actor, require_permission
from flows.notifications import message_rows, services
from flows.notifications.actions import NotificationAction
from flows.notifications.forms import ActForm, SubscriptionForm
from flows.notifications.models import Message, Subscription
from flows.notifications.sending import is_email_configured

READ_LOG: Final = "flows.view_auditevent"
PAGE_SIZE: Final = 25
NAME_TAKEN: Final = "There is a notification of this name already. Enter another name."
_NOT_RECORDED: Final = "Couldn't write to the audit log, so nothing was changed."
_DONE: Final = {
    "enable": "Enabled. Events from now on are sent.",
    "disable": "Disabled. Nothing is sent until you enable it.",
    "test": "The test is sent in a moment. Reload this page to see the result.",
}


@require_GET
@require_permission(READ_LOG, action="audit.view")
def subscription_list(request: Request) -> HttpResponse:
    """List the user's own subscriptions, and those of the site for administrators."""
    rows = services.with_message_counts(services.visible_subscriptions(request.user))
    context = {
        "rows": [{"subscription": row, "status": message_rows.state(row)} for row in rows],
        "can_manage": services.can_manage(request.user),
        "is_email_configured": is_email_configured(),
    }
    return render(request, "notifications/list.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@require_permission(READ_LOG, action=NotificationAction.CREATE)
def subscription_new(request: Request) -> HttpResponse:
    """Create a subscription. The signing secret of a webhook is shown once."""
    if request.method == "GET":
        return _form_page(request, SubscriptionForm(user=request.user))
    form = SubscriptionForm(request.POST, user=request.user)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    try:
        subscription, secret = services.create(
            form.values,
            user=request.user,
            actor=get_actor(request),
            reason=form.cleaned_data["reason"],
        )
    except services.NameTaken:
        form.add_error("name", NAME_TAKEN)
        return _form_page(request, form, status=422)
    except audit_log.NotRecorded:
        return _form_page(request, form, status=503, error=_NOT_RECORDED)
    if secret:
        return _secret_page(request, subscription, secret, is_new=True)
    messages.success(request, f"Created “{subscription}”. Send a test to see that it arrives.")
    return redirect("notifications:detail", subscription_id=subscription.pk)


@require_GET
@require_permission(READ_LOG, action="audit.view")
def subscription_detail(request: Request, subscription_id: int) -> HttpResponse:
    """Show a subscription with its messages, the latest first."""
    return _detail_page(request, _find(request, subscription_id), ActForm())


@require_http_methods(["GET", "POST"])
@require_permission(READ_LOG, action=NotificationAction.CHANGE)
def subscription_edit(request: Request, subscription_id: int) -> HttpResponse:
    subscription = _find(request, subscription_id)
    if subscription.is_automatic:
        raise Http404("This notification is not edited")
    if request.method == "GET":
        return _form_page(request, SubscriptionForm(user=request.user, subscription=subscription))
    form = SubscriptionForm(request.POST, user=request.user, subscription=subscription)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    try:
        services.change(
            subscription,
            form.values,
            actor=get_actor(request),
            reason=form.cleaned_data["reason"],
        )
    except services.NameTaken:
        form.add_error("name", NAME_TAKEN)
        return _form_page(request, form, status=422)
    except audit_log.NotRecorded:
        return _form_page(request, form, status=503, error=_NOT_RECORDED)
    messages.success(request, "Saved. It applies to events from now on.")
    return redirect("notifications:detail", subscription_id=subscription.pk)


@never_cache
@require_POST
@require_permission(READ_LOG, action=NotificationAction.CHANGE)
def subscription_act(request: Request, subscription_id: int) -> HttpResponse:
    """Enable, disable, test or delete a subscription, or rotate its signing secret."""
    subscription = _find(request, subscription_id)
    form = ActForm(request.POST)
    if not form.is_valid():
        return _detail_page(request, subscription, form, status=422)
    action = form.cleaned_data["action"]
    try:
        secret = _act(request, subscription, action, form.cleaned_data["reason"])
    except audit_log.NotRecorded:
        return _detail_page(request, subscription, form, status=503, error=_NOT_RECORDED)
    if secret:
        return _secret_page(request, subscription, secret, is_new=False)
    if action == "delete":
        messages.success(request, f"Deleted “{subscription}”.")
        return redirect("notifications:list")
    messages.success(request, _DONE[action])
    return redirect("notifications:detail", subscription_id=subscription.pk)


@require_POST
@require_permission(READ_LOG, action=NotificationAction.REPLAY)
def message_replay(request: Request, subscription_id: int, message_id: uuid.UUID) -> HttpResponse:
    """Send a finished message again, with the same id."""
    subscription = _find(request, subscription_id)
    message = subscription.messages.filter(message_id=message_id).first()
    if message is None:
        raise Http404("No such message")
    try:
        services.replay(message, actor=get_actor(request), reason="")
    except audit_log.NotRecorded:
        messages.error(request, _NOT_RECORDED)
    else:
        messages.success(request, "The message is sent again in a moment, with the same id.")
    return redirect("notifications:detail", subscription_id=subscription.pk)


def _act(request: Request, subscription: Subscription, action: str, reason: str) -> str:
    """Do what a button says, and return a new signing secret, or ""."""
    actor = get_actor(request)
    if action in ("enable", "disable"):
        services.set_enabled(
            subscription, is_enabled=action == "enable", actor=actor, reason=reason
        )
    elif action == "test":
        services.send_test(subscription, actor=actor, reason=reason)
    elif action == "delete" and not subscription.is_automatic:
        services.delete(subscription, actor=actor, reason=reason)
    elif subscription.encrypted_secret:
        return services.rotate_secret(subscription, actor=actor, reason=reason)
    else:
        raise Http404("No signing secret to rotate")
    return ""


def _find(request: Request, subscription_id: int) -> Subscription:
    """Return a subscription that the user may see, or raise Http404."""
    subscription = services.visible_subscriptions(request.user).filter(pk=subscription_id).first()
    if subscription is None:
        raise Http404("No such notification")
    return subscription


def _form_page(
    request: Request, form: SubscriptionForm, *, status: int = 200, error: str = ""
) -> HttpResponse:
    context = {
        "form": form,
        "subscription": form.subscription,
        "error": error,
        "is_email_configured": is_email_configured(),
    }
    return render(request, "notifications/form.html", context, status=status)


def _secret_page(
    request: Request, subscription: Subscription, secret: str, *, is_new: bool
) -> HttpResponse:
    context = {"subscription": subscription, "secret": secret, "is_new": is_new}
    return render(request, "notifications/secret.html", context)


def _detail_page(
    request: Request,
    subscription: Subscription,
    form: ActForm,
    *,
    status: int = 200,
    error: str = "",
) -> HttpResponse:
    newest = Message.objects.filter(subscription=subscription).order_by("-id")
    page = Paginator(newest.prefetch_related("attempts"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context: dict[str, Any] = {
        "subscription": subscription,
        "status": message_rows.state(subscription),
        "is_without_worker": message_rows.is_without_worker(subscription),
        "values": services.describe(subscription),
        "form": form,
        "error": error,
        "page": page,
        "rows": message_rows.build_rows(page.object_list, request.user),
        "previous_url": f"?page={page.previous_page_number()}" if page.has_previous() else None,
        "next_url": f"?page={page.next_page_number()}" if page.has_next() else None,
    }
    return render(request, "notifications/detail.html", context, status=status)
