"""The page that erases personal data: search, preview, confirmation and result.

What to erase is posted, so that it is in no address and in no access log. The erasure runs in the
request, because a task of the queue would store what to erase in the database.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from flows.audit.access import Request, get_actor, require_permission
from flows.audit.actions import AuditAction
from flows.audit.audit_log import NotRecorded
from flows.erasure import compaction, erasure
from flows.erasure.compaction import CompactionFailed
from flows.erasure.erasure import ErasureResult
from flows.erasure.forms import ErasureForm, SubjectForm
from flows.erasure.preview import preview_erasure
from flows.twilio.pickling import PicklableError


@require_http_methods(["GET", "POST"])
@require_permission("flows.erase_auditevent", action=AuditAction.ERASE, everywhere=True)
def erase_personal_data(request: Request) -> HttpResponse:
    """Show the form. On POST, preview the erasure, or erase if the preview is confirmed."""
    if request.method == "GET":
        return _render(request, form=SubjectForm())
    subject_form = SubjectForm(request.POST)
    if not subject_form.is_valid():
        return _render(request, form=subject_form, status=422)
    preview = preview_erasure(sid=subject_form.sid, identity=subject_form.identity)
    initial = {"subject": subject_form.cleaned_data["subject"]}
    if "erase" not in request.POST:
        form = ErasureForm(initial=initial, preview=preview)
        return _render(request, form=form, preview=preview)
    form = ErasureForm(request.POST, preview=preview)
    if form.is_valid():
        try:
            return _render_result(request, _erase(request, form))
        except NotRecorded:
            message = "Couldn't write to the audit log. Try again in a moment."
            form.add_error(None, message)
            return _render(request, form=form, preview=preview, status=503)
        except _Refused as refusal:
            form.add_error(refusal.field, str(refusal))
    return _render(request, form=form, preview=preview, status=422)


class _Refused(PicklableError):
    """Nothing was erased. The message is the error of a field, or of the form if it is None."""

    def __init__(self, field: str | None, message: str) -> None:
        super().__init__(message)
        self.field = field


def _erase(request: Request, form: ErasureForm) -> ErasureResult:
    """Erase what the form names. Raises `_Refused` or `NotRecorded`."""
    values = form.cleaned_data
    compaction.enable_secure_delete()
    try:
        return erasure.erase(
            sid=form.sid,
            identity=form.identity,
            reason=values["reason"],
            actor=get_actor(request),
            despite_open_change=values.get("despite_open_change", False),
            despite_twilio=values.get("despite_twilio", False),
        )
    except erasure.ReasonMentionsData:
        raise _Refused("reason", "The reason contains the data to erase.") from None
    except erasure.StillAtTwilio:
        message = "A sync has just found it at Twilio. Delete or change it there first."
        raise _Refused(None, message) from None
    except erasure.BlockedByOpenChange as blocked:
        raise _Refused(None, _describe_open_change(blocked)) from None


def _describe_open_change(blocked: erasure.BlockedByOpenChange) -> str:
    seq = blocked.event.seq
    if blocked.is_in_progress:
        return f"A change is in progress (event {seq}). Try again in a minute."
    return f"A change now has an unknown outcome (event {seq}). Resolve it first."


def _render(request: Request, *, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, "audit/erasure.html", context, status=status)


def _render_result(request: Request, result: ErasureResult) -> HttpResponse:
    """Compact the database, and render the result."""
    compaction_error = ""
    try:
        compaction.compact()
    except CompactionFailed as error:
        compaction_error = str(error)
    context = {
        "result": result,
        "compaction_error": compaction_error,
        "unreachable_copies": compaction.describe_unreachable_copies(),
    }
    return render(request, "audit/erasure_result.html", context)
