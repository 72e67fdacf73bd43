"""Pages for auditors: the export of the log, its verification, and signed checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from flows.accounts import twilio_accounts
from flows.audit import audit_log, checkpoints, export, log_list, log_paging
from flows.audit import verification as log_verification
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.actions import AuditAction
from flows.audit.log_list import matching_events, readable_events
from flows.audit.log_query import LogQuery, is_event_number
from flows.audit.models import AuditEvent, Result
from flows.audit.verification import VerificationResult
from flows.audit.views.downloads import Download, DownloadSlot, TooManyDownloads
from flows.audit.views.log import filter_chips

CHUNK_SIZE: Final = 64 * 1024  # characters
CONTENT_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
MAX_VERIFICATIONS: Final = 8
NON_FILTER_PARAMETERS: Final = (
    "before",
    "whole",
    "after",
    "format",
    "what",
    "csrfmiddlewaretoken",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """The parameters of an export. `error` is about `after`, `faults` are about the filters."""

    query: LogQuery
    filters: dict[str, Any]
    after: str
    form: str
    is_whole: bool
    error: str
    faults: list[str]

    @classmethod
    def parse(cls, parameters: QueryDict, scope: twilio_accounts.Scope) -> ExportRequest:
        """Parse form parameters. Without "what", the default is the query if there is one."""
        filters = parameters.copy()
        for name in NON_FILTER_PARAMETERS:
            filters.pop(name, None)
        query = LogQuery.from_parameters(filters)
        after = parameters.get("after", "").strip()
        form = parameters.get("format", "")
        default_content = "shown" if query.parameters() or query.faults else "all"
        is_whole = parameters.get("what", default_content) == "all"
        return cls(
            query=query,
            filters=filters.dict(),
            after=after,
            form=form if form in export.FORMATS else "csv",
            is_whole=is_whole,
            error=_start_error(after),
            faults=[] if is_whole else _query_errors(query, scope),
        )


def _start_error(after: str) -> str:
    """Return an error message about the event to continue after, or "" if there is none."""
    if not after or is_event_number(after):
        return ""
    return "Enter an event number (0 or higher)."


@require_http_methods(["GET", "POST"])
@require_permission("flows.export_auditevent", action=AuditAction.EXPORT)
def log_export(request: Request) -> HttpResponseBase:
    """Show the form of an export. On POST, send the file."""
    is_post = request.method == "POST"
    parameters = request.POST if is_post else request.GET
    export_request = ExportRequest.parse(parameters, request.scope)
    context = _export_context(request, export_request)
    if export_request.error or (is_post and export_request.faults):
        return render(request, "audit/export.html", context, status=422)
    if not is_post:
        return render(request, "audit/export.html", context)
    try:
        slot = DownloadSlot()
        new_export = _start_export(request, export_request)
    except TooManyDownloads:
        response = render(request, "audit/export.html", {**context, "is_busy": True}, status=503)
        response["Retry-After"] = "30"
        return response
    except audit_log.NotRecorded:  # the form again, as if too many downloads are running
        return render(request, "audit/export.html", {**context, "not_recorded": True}, status=503)
    chunks = _iter_chunks(new_export.lines())
    download = Download(slot, chunks, content_type=CONTENT_TYPES[new_export.form])
    range_name = f"after-{new_export.after}-through-{new_export.through}"
    name = f"audit-{timezone.now():%Y-%m-%d}-{range_name}.{new_export.form}"
    return _as_attachment(download, name)


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
    return _as_attachment(response, name)


def _export_context(request: Request, export_request: ExportRequest) -> dict[str, Any]:
    """Return the context of the export's form."""
    return {
        "query": export_request.query,
        "filters": export_request.filters,
        "chips": filter_chips(export_request.query, request.scope),
        "clear_url": reverse("audit:export"),
        "after": export_request.after,
        "format": export_request.form,
        "is_whole": export_request.is_whole,
        "error": export_request.error,
        "faults": export_request.faults,
        "last_seq": audit_log.last_seq(),
        "last": _last_export(request),
    }


def _start_export(request: Request, export_request: ExportRequest) -> export.Export:
    query, is_whole = export_request.query, export_request.is_whole
    return export.start_export(
        form=export_request.form,
        actor=get_actor(request),
        after=int(export_request.after or 0),
        filters=_recorded_filters(query, request.scope, is_whole=is_whole),
        events=lambda: _events_to_export(query, request.scope, is_whole=is_whole),
    )


def _query_errors(query: LogQuery, scope: twilio_accounts.Scope) -> list[str]:
    """Return the error messages of filters that are invalid or match nothing readable."""
    unknown = log_list.unknown_values(query, scope, log_paging.actor_labels(scope))
    return [*query.faults.values(), *unknown.values()]


def _events_to_export(
    query: LogQuery, scope: twilio_accounts.Scope, *, is_whole: bool
) -> QuerySet[AuditEvent]:
    """Return all readable events, or only those that match the query."""
    return readable_events(scope) if is_whole else matching_events(query, scope)


def _recorded_filters(
    query: LogQuery, scope: twilio_accounts.Scope, *, is_whole: bool
) -> dict[str, str | int] | None:
    """Return the filters of an export for the log, or None for the whole log."""
    if is_whole and scope is None:
        return None
    filters = {} if is_whole else query.parameters()
    if "from" in filters or "to" in filters:
        filters["time zone"] = str(query.zone)
    if scope is not None:
        filters["accounts"] = " ".join(sorted(scope))
    return filters


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


def _last_export(request: Request) -> dict[str, Any] | None:
    """Return the event of the user's last export, and the seq after which the next continues."""
    exports = AuditEvent.objects.filter(action=AuditAction.EXPORT, result=Result.SUCCEEDED)
    event = exports.filter(actor_id=str(request.user.pk)).order_by("-seq").first()
    return {"event": event, "through": event.seq} if event else None


def _iter_chunks(lines: Iterator[str]) -> Iterator[str]:
    """Join lines into chunks of about `CHUNK_SIZE`."""
    buffer, size = [], 0
    for line in lines:
        buffer.append(line)
        size += len(line)
        if size >= CHUNK_SIZE:
            yield "".join(buffer)
            buffer, size = [], 0
    yield "".join(buffer)


def _as_attachment(response: HttpResponseBase, name: str) -> HttpResponseBase:
    """Make browsers save a response under this name, and never cache it."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
