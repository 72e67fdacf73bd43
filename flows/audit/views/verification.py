"""The auditor's pages: exporting the log, verifying it, and the signed head to keep elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from flows.accounts import twilio_accounts
from flows.audit import audit_log, checkpoints, export, log_list, log_paging
from flows.audit import verification as evidence
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.log_list import matching_events, readable_events
from flows.audit.log_query import LogQuery
from flows.audit.models import AuditEvent, Result
from flows.audit.verification import VerificationResult
from flows.audit.views.downloads import Download, DownloadSlot, TooManyDownloads
from flows.audit.views.log import filter_chips

CHUNK_SIZE: Final = 64 * 1024  # characters that are sent at once
CONTENT_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
MAX_VERIFICATIONS: Final = 8
NON_FILTER_PARAMETERS: Final = (
    "before",
    "whole",
    "after",
    "format",
    "what",
    "csrfmiddlewaretoken",
)  # no filters


@require_http_methods(["GET", "POST"])
@require_permission("flows.export_auditevent", action=export.EXPORT_ACTION)
def log_export(request: Request) -> HttpResponseBase:
    """What can be exported; by POST, the file."""
    asked = request.GET if request.method == "GET" else request.POST
    query = LogQuery.of(asked, others=NON_FILTER_PARAMETERS)
    after = asked.get("after", "").strip()
    form = asked["format"] if asked.get("format") in export.FORMATS else "csv"
    is_whole = asked.get("what", "shown" if query.parameters() or query.faults else "all") == "all"
    error = "" if _is_seq(after or "0") else "Enter an event number (0 or higher)."
    faults = [] if is_whole else _query_errors(query, request.scope)
    context = {
        "query": query,
        "filters": {
            name: value for name, value in asked.items() if name not in NON_FILTER_PARAMETERS
        },
        "chips": filter_chips(query, request.scope),
        "clear_url": reverse("audit:export"),
        "after": after,
        "format": form,
        "is_whole": is_whole,
        "error": error,
        "faults": faults,
        "last_seq": audit_log.last_seq(),
        "last": _last_export(request),
    }
    if request.method == "GET" or error or faults:
        status = 422 if error or (faults and request.method == "POST") else 200
        return render(request, "audit/export.html", context, status=status)
    try:
        place = DownloadSlot()
        begun = export.start_export(
            form=form,
            actor=get_actor(request),
            after=int(after or 0),
            filters=_recorded_filters(query, request.scope, is_whole=is_whole),
            events=lambda: _events_to_export(query, request.scope, is_whole=is_whole),
        )
    except TooManyDownloads:
        answer = render(request, "audit/export.html", {**context, "is_busy": True}, status=503)
        answer["Retry-After"] = "30"
        return answer
    except audit_log.NotRecorded:
        return render(request, "audit/export.html", {**context, "not_recorded": True}, status=503)
    response = Download(place, _iter_chunks(begun.lines()), content_type=CONTENT_TYPES[begun.form])
    name = (
        f"audit-{timezone.now():%Y-%m-%d}-after-{begun.after}-through-{begun.through}.{begun.form}"
    )
    return _as_attachment(response, name)


@require_http_methods(["GET", "POST"])
@require_permission("flows.export_auditevent", action=evidence.VERIFY_ACTION, everywhere=True)
def verification(request: Request) -> HttpResponseBase:
    """When the log was last verified and up to where. By POST it is verified, or the signed head is given."""
    if request.method == "GET":
        return _render_verification(request)
    if request.POST.get("act") == "head":
        head = checkpoints.signed_checkpoint()
        response = HttpResponse(json.dumps(head) + "\n", content_type="application/json")
        return _as_attachment(response, f"audit-head-{timezone.now():%Y-%m-%d}-{head['seq']}.json")
    text = request.POST.get("head", "").strip()
    kept = checkpoints.parse_checkpoint(text)
    if text and kept is None:
        return _render_verification(request, text=text, status=422)
    verdict, event = evidence.verify_and_record(actor=get_actor(request), head=kept)
    if event is None:
        return _render_verification(request, unrecorded=verdict, text=text, status=503)
    return redirect("audit:verification")


def _query_errors(query: LogQuery, scope: twilio_accounts.Scope) -> list[str]:
    unknown = log_list.unknown_values(query, scope, log_paging.actor_labels(scope))
    return [*query.faults.values(), *unknown.values()]


def _events_to_export(
    query: LogQuery, scope: twilio_accounts.Scope, *, is_whole: bool
) -> QuerySet[AuditEvent]:
    return readable_events(scope) if is_whole else matching_events(query, scope)


def _recorded_filters(
    query: LogQuery, scope: twilio_accounts.Scope, *, is_whole: bool
) -> dict[str, str | int] | None:
    """What the file is chosen by, for the record; None if it is the log as a whole."""
    chosen = {} if is_whole else query.parameters()
    only = {} if scope is None else {"accounts": " ".join(sorted(scope))}
    return None if is_whole and scope is None else {**chosen, **only}


def _render_verification(
    request: Request,
    *,
    text: str = "",
    unrecorded: VerificationResult | None = None,
    status: int = 200,
) -> HttpResponse:
    verifications = AuditEvent.objects.filter(action=evidence.VERIFY_ACTION).select_related(
        "payload"
    )
    last = evidence.last_verification()
    bad_seq = last.said.get("bad_seq") if last else None
    context = {
        "last": last,
        "bad_event": AuditEvent.objects.filter(seq=bad_seq).first()
        if bad_seq is not None
        else None,
        "unrecorded": unrecorded,
        "text": text,
        "is_invalid_checkpoint": status == 422,
        "verifications": list(verifications.order_by("-seq")[:MAX_VERIFICATIONS]),
        "all_url": LogQuery(action=evidence.VERIFY_ACTION).url(),
    }
    return render(request, "audit/verification.html", context, status=status)


def _last_export(request: Request) -> dict[str, Any] | None:
    """This person's last one: when, and where the next goes on."""
    exports = AuditEvent.objects.filter(action=export.EXPORT_ACTION, result=Result.SUCCEEDED)
    event = exports.filter(actor_id=str(request.user.pk)).order_by("-seq").first()
    return {"event": event, "through": event.seq} if event else None


def _is_seq(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _iter_chunks(lines: Iterator[str]) -> Iterator[str]:
    """The same text in pieces that are worth sending."""
    kept, size = [], 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= CHUNK_SIZE:
            yield "".join(kept)
            kept, size = [], 0
    yield "".join(kept)


def _as_attachment(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
