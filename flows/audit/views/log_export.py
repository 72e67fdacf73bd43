"""The export of the log: its period, its contents and its format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from flows.accounts import twilio_accounts
from flows.audit import audit_log, export, log_filter_checks, log_paging, log_presets
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.actions import EVERY_EVENT, AuditAction
from flows.audit.log_filters import filter_days
from flows.audit.log_list import matching_events, readable_events
from flows.audit.log_query import LogQuery, is_event_number
from flows.audit.models import AuditEvent, Result
from flows.audit.views.downloads import Download, DownloadSlot, TooManyDownloads, as_attachment
from flows.audit.views.log import filter_chips
from flows.core import local_days
from flows.core.forms import ReasonField

CHUNK_SIZE: Final = 64 * 1024  # characters
CONTENT_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
MAX_LAST_EXPORTS: Final = 20  # that are searched for one to continue
PERIOD_PARAMETERS: Final = ("from", "to")
NON_FILTER_PARAMETERS: Final = (
    "before",
    "whole",
    "after",
    "format",
    "what",
    "reason",
    "csrfmiddlewaretoken",
)


class ExportReasonForm(forms.Form):
    """The reason of an export."""

    reason = ReasonField(examples="“October for the auditors”")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """The parameters of an export.

    `filters` are the parameters of `query`. `has_every_event` is False for one line per change, as
    in the log's list. `error` is about `after`, `faults` are about the filters.
    """

    query: LogQuery
    filters: dict[str, Any]
    after: str
    form: str
    has_every_event: bool
    error: str
    faults: list[str]

    @classmethod
    def parse(cls, parameters: QueryDict, scope: twilio_accounts.Scope) -> ExportRequest:
        """Parse form parameters. Without "what", the default is the list if there is a query.

        "what" is "shown" for the list, "events" for every event of the period, or "all" for every
        event of the log, whatever its filters.
        """
        filters = parameters.copy()
        is_whole = parameters.get("what") == "all"
        ignored = NON_FILTER_PARAMETERS + (PERIOD_PARAMETERS if is_whole else ())
        for name in ignored:
            filters.pop(name, None)
        query = LogQuery.from_parameters(filters)
        default_content = "shown" if query.parameters() or query.faults else "events"
        has_every_event = parameters.get("what", default_content) in ("all", "events")
        after = parameters.get("after", "").strip()
        form = parameters.get("format", "")
        return cls(
            query=query,
            filters=filters.dict(),
            after=after,
            form=form if form in export.FORMATS else "csv",
            has_every_event=has_every_event,
            error=_start_error(after),
            faults=_find_faults(query, scope, has_every_event=has_every_event),
        )

    @property
    def is_filtered(self) -> bool:
        """True if the file has only those changes that match filters other than the days."""
        return not self.has_every_event and bool(self.query.parameters().keys() - PERIOD_PARAMETERS)


def _start_error(after: str) -> str:
    """Return an error message about the event to continue after, or "" if there is none."""
    if not after or is_event_number(after):
        return ""
    return "Enter an event number (0 or higher)."


def _find_faults(
    query: LogQuery, scope: twilio_accounts.Scope, *, has_every_event: bool
) -> list[str]:
    """Return the error messages of filters that are invalid or match nothing readable.

    Of every event, the period is the only filter.
    """
    if has_every_event:
        return [query.faults[name] for name in sorted(query.faults.keys() & PERIOD_PARAMETERS)]
    unknown = log_filter_checks.unknown_values(query, scope, log_paging.actor_labels(scope))
    return [*query.faults.values(), *unknown.values()]


@require_http_methods(["GET", "POST"])
@require_permission("flows.export_auditevent", action=AuditAction.EXPORT)
def log_export(request: Request) -> HttpResponseBase:
    """Show the form of an export. On POST, send the file."""
    is_post = request.method == "POST"
    parameters = request.POST if is_post else request.GET
    export_request = ExportRequest.parse(parameters, request.scope)
    reason_form = ExportReasonForm(request.POST if is_post else None)
    context = {**_export_context(request, export_request), "reason_form": reason_form}
    is_invalid = is_post and bool(export_request.faults or reason_form.errors)
    if export_request.error or is_invalid:
        return render(request, "audit/export.html", context, status=422)
    if not is_post:
        return render(request, "audit/export.html", context)
    try:
        slot = DownloadSlot()
        new_export = _start_export(request, export_request, reason_form.cleaned_data["reason"])
    except TooManyDownloads:
        response = render(request, "audit/export.html", {**context, "is_busy": True}, status=503)
        response["Retry-After"] = "30"
        return response
    except audit_log.NotRecorded:  # the form again, as if too many downloads are running
        return render(request, "audit/export.html", {**context, "not_recorded": True}, status=503)
    chunks = _iter_chunks(new_export.lines())
    download = Download(slot, chunks, content_type=CONTENT_TYPES[new_export.form])
    name = _file_name(new_export, export_request.query, is_filtered=export_request.is_filtered)
    return as_attachment(download, name)


def _export_context(request: Request, export_request: ExportRequest) -> dict[str, Any]:
    """Return the context of the export's form."""
    query = export_request.query
    return {
        "query": query,
        "filters": export_request.filters,
        "presets": log_presets.build_periods(query, local_days.today()),
        "chips": filter_chips(query, request.scope, omitted=("from_date", "to_date")),
        "clear_url": reverse("audit:export") + _period_of(query).url(),
        "after": export_request.after,
        "format": export_request.form,
        "has_every_event": export_request.has_every_event,
        "error": export_request.error,
        "faults": export_request.faults,
        "last_seq": audit_log.last_seq(),
        "last": _last_whole_export(request),
    }


def _start_export(request: Request, export_request: ExportRequest, reason: str) -> export.Export:
    query, has_every_event = export_request.query, export_request.has_every_event
    return export.start_export(
        form=export_request.form,
        actor=get_actor(request),
        after=int(export_request.after or 0),
        has_every_event=has_every_event,
        filters=_recorded_filters(query, request.scope, has_every_event=has_every_event),
        events=lambda: _events_to_export(query, request.scope, has_every_event=has_every_event),
        reason=reason,
    )


def _events_to_export(
    query: LogQuery, scope: twilio_accounts.Scope, *, has_every_event: bool
) -> QuerySet[AuditEvent]:
    """Return all readable events of the query's days, or only those that match the query."""
    if not has_every_event:
        return matching_events(query, scope)
    first, last = log_paging.seq_range(query.since, query.until)
    # The event after the last one is the export's own, which can belong to the period.
    events = readable_events(scope).filter(seq__gte=first, seq__lte=last + 1)
    return filter_days(events, query)


def _recorded_filters(
    query: LogQuery, scope: twilio_accounts.Scope, *, has_every_event: bool
) -> dict[str, str | int] | None:
    """Return the filters of an export for the log, or None for the whole log."""
    recorded_query = _period_of(query) if has_every_event else query
    filters = recorded_query.parameters()
    is_whole = has_every_event and not filters
    if is_whole and scope is None:
        return None
    if query.has_period:
        filters["time zone"] = str(query.zone)
    if scope is not None:
        filters["accounts"] = " ".join(sorted(scope))
    return filters


def _period_of(query: LogQuery) -> LogQuery:
    """Return the query without its other filters."""
    return LogQuery(from_date=query.from_date, to_date=query.to_date)


def _file_name(new_export: export.Export, query: LogQuery, *, is_filtered: bool) -> str:
    """Return the name of an export's file, with its days or else its events.

    Without a last day, it ends on the present day, or on its first if that is later.
    """
    ending = f"{'-filtered' if is_filtered else ''}.{new_export.form}"
    if not query.has_period:
        range_name = f"after-{new_export.after}-through-{new_export.through}"
        return f"audit-{timezone.now():%Y-%m-%d}-{range_name}{ending}"
    last_day = query.to_date or max(query.from_date, local_days.today().isoformat())
    period = f"{query.from_date}-to-{last_day}".removeprefix("-")
    continuation = f"-after-{new_export.after}" if new_export.after else ""
    return f"audit-log-{period}{continuation}{ending}"


def _last_whole_export(request: Request) -> dict[str, Any] | None:
    """Return the time, format and last seq of the user's last export that the next can continue.

    That is one of every event that the user may see, without a period. Any other skips events, which
    would be in neither file.
    """
    exports = AuditEvent.objects.filter(action=AuditAction.EXPORT, result=Result.SUCCEEDED)
    own_exports = exports.filter(actor_id=str(request.user.pk)).select_related("payload")
    whole = {
        "content": EVERY_EVENT,
        "filters": _recorded_filters(LogQuery(), request.scope, has_every_event=True),
    }
    for event in own_exports.order_by("-seq")[:MAX_LAST_EXPORTS]:
        requested = event.stored_payload.requested_values if event.stored_payload else {}
        if whole.items() <= requested.items():
            return {"at": event.at, "format": requested["format"], "through": event.seq}
    return None


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
