"""What a user does with a migration on its page: verify, roll back, delete, try again, close, stop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from flows.audit.access import Request, get_actor, require_permission
from flows.audit.audit_log import NotRecorded
from flows.availability import restrictions
from flows.changes import change_guard
from flows.migration import services
from flows.migration.actions import MigrationAction
from flows.migration.forms import (
    CloseForm,
    DeleteFlowForm,
    MigrationForm,
    RollbackForm,
    VerifyForm,
)
from flows.migration.models import FlowMigration
from flows.migration.services import NotPossible
from flows.migration.unserved import rollback_unserved
from flows.migration.views.steps import find_migration, render_steps

NOT_RECORDED = "Couldn't write to the audit log, so nothing was changed. Try again in a moment."


@require_POST
@require_permission("flows.change_flow", action=MigrationAction.VERIFY)
def verify(request: Request, sid: str) -> HttpResponse:
    """Record what the user saw after a test message."""
    return _act(request, sid, "verify", VerifyForm(request.POST), services.verify)


@require_POST
@require_permission("flows.change_flow", action=MigrationAction.ROLL_BACK)
def roll_back(request: Request, sid: str) -> HttpResponse:
    form = RollbackForm(request.POST, needs_care=bool(rollback_unserved(find_migration(sid))))
    return _act(request, sid, "rollback", form, services.roll_back)


@require_POST
@require_permission("flows.delete_flow", action=MigrationAction.DELETE)
def delete(request: Request, sid: str) -> HttpResponse:
    form = DeleteFlowForm(request.POST, expected=str(find_migration(sid)), sid=sid)
    return _act(request, sid, "delete", form, services.delete, operation="delete")


@require_POST
@require_permission("flows.change_flow", action=MigrationAction.RESUME)
def resume(request: Request, sid: str) -> HttpResponse:
    return _act(request, sid, "", MigrationForm(request.POST), services.resume)


@require_POST
@require_permission("flows.change_flow", action=MigrationAction.CLOSE)
def close(request: Request, sid: str) -> HttpResponse:
    """End a stuck migration that the user finished by hand."""
    return _act(request, sid, "close", CloseForm(request.POST), services.close)


@require_POST
@require_permission("flows.change_flow", action=MigrationAction.STOP)
def stop(request: Request, sid: str) -> HttpResponse:
    """Stop the account's switch-overs that no worker has begun."""
    migration = find_migration(sid)
    try:
        stopped = services.stop(
            account_sid=migration.account_sid, reason="", actor=get_actor(request)
        )
    except NotRecorded:
        messages.error(request, NOT_RECORDED)
    else:
        numbers = "1 number was" if stopped == 1 else f"{stopped} numbers were"
        messages.info(request, f"{numbers} not switched over. One that was begun is finished.")
    return redirect("migration:steps", sid=sid)


def _act(
    request: Request,
    sid: str,
    form_name: str,
    form: MigrationForm,
    act: Callable[..., None],
    *,
    operation: str = "update",
) -> HttpResponse:
    """Do what a user asked for, and show the page again with what came of it."""
    migration = find_migration(sid)
    page = partial(render_steps, request, migration, form=form, form_name=form_name)
    if not form.is_valid():
        return page(status=422)
    reason_error = change_guard.missing_reason([migration.account_sid], form.cleaned_data["reason"])
    if reason_error:
        form.add_error("reason", reason_error)
        return page(status=422)
    restriction = restrictions.find_restriction(migration.account_sid, operation)
    if restriction is not None:
        messages.error(request, f"Nothing was changed. {restriction.sentence}")
        return page(status=403)
    return _run(request, sid, partial(_call, act, request, migration, form), page)


def _call(
    act: Callable[..., None], request: Request, migration: FlowMigration, form: MigrationForm
) -> None:
    act(migration=migration, reason=form.cleaned_data["reason"], actor=get_actor(request))


def _run(
    request: Request, sid: str, act: Callable[[], None], page: Callable[..., HttpResponse]
) -> HttpResponse:
    try:
        act()
    except NotPossible as refusal:
        messages.error(request, f"Nothing was changed. {refusal}")
        return page(status=409)
    except NotRecorded:
        messages.error(request, NOT_RECORDED)
        return page(status=503)
    return redirect("migration:steps", sid=sid)
