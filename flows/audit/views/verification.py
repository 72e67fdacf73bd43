"""Pages for auditors: the verification of the log, and signed checkpoints."""

from __future__ import annotations

import json
from typing import Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from flows.audit import checkpoints
from flows.audit import verification as log_verification
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.actions import AuditAction
from flows.audit.log_query import LogQuery
from flows.audit.models import AuditEvent
from flows.audit.verification import VerificationResult
from flows.audit.views.downloads import as_attachment

MAX_VERIFICATIONS: Final = 8


@require_http_methods(["GET", "POST"])
@require_permission("flows.export_auditevent", action=AuditAction.VERIFY, everywhere=True)
def verification(request: Request) -> HttpResponseBase:
    """Show the last verification. On POST, verify the log, or send a signed checkpoint."""
    if request.method == "GET":
        return _render_verification(request)
    if request.POST.get("act") == "head":
        return _send_checkpoint(request)
    text = request.POST.get("head", "").strip()
    earlier_checkpoint = checkpoints.parse_checkpoint(text)
    if text and earlier_checkpoint is None:
        return _render_verification(request, text=text, status=422)
    result, event = log_verification.verify_and_record(
        actor=get_actor(request), head=earlier_checkpoint
    )
    if event is None:
        return _render_verification(request, unrecorded=result, text=text, status=503)
    return redirect("audit:verification")


def _send_checkpoint(request: Request) -> HttpResponseBase:
    """Return a new signed checkpoint as a file, once its export is logged."""
    checkpoint = checkpoints.export_checkpoint(get_actor(request))
    response = HttpResponse(json.dumps(checkpoint) + "\n", content_type="application/json")
    name = f"audit-head-{timezone.now():%Y-%m-%d}-{checkpoint['seq']}.json"
    return as_attachment(response, name)


def _render_verification(
    request: Request,
    *,
    text: str = "",
    unrecorded: VerificationResult | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page of verifications.

    `text` is the checkpoint that was entered, and `unrecorded` a result that could not be logged.
    """
    verifications = AuditEvent.objects.filter(action=AuditAction.VERIFY).select_related("payload")
    last = log_verification.last_verification()
    bad_seq = last.summary.get("bad_seq") if last else None
    bad_event = None
    if bad_seq is not None:
        bad_event = AuditEvent.objects.filter(seq=bad_seq).first()
    context = {
        "last": last,
        "bad_event": bad_event,
        "unrecorded": unrecorded,
        "text": text,
        "is_invalid_checkpoint": status == 422,
        "verifications": list(verifications.order_by("-seq")[:MAX_VERIFICATIONS]),
        "all_url": LogQuery(action=AuditAction.VERIFY).url(),
    }
    return render(request, "audit/verification.html", context, status=status)
