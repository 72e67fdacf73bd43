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

from flows import accounts
from flows.models import AuditEvent, Result
from flows.services import audit, evidence, export, log_list, reading
from flows.services.evidence import Verdict
from flows.services.log_list import matching, readable
from flows.services.log_query import LogQuery
from flows.views.audit import chips_of
from flows.views.downloads import Download, Place, TooManyDownloads
from flows.views.requests import Request, actor_of, permitted

CHUNK: Final = 64 * 1024  # characters that are sent at once
CONTENT_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
LATEST_SHOWN: Final = 8
OTHER_PARAMETERS: Final = ("before", "whole", "after", "format", "what", "csrfmiddlewaretoken")  # no filters


@require_http_methods(["GET", "POST"])
@permitted("flows.export_auditevent", action=export.ACTION)
def log_export(request: Request) -> HttpResponseBase:
    """What can be exported; by POST, the file."""
    asked = request.GET if request.method == "GET" else request.POST
    query = LogQuery.of(asked, others=OTHER_PARAMETERS)
    after = asked.get("after", "").strip()
    form = asked["format"] if asked.get("format") in export.FORMATS else "csv"
    is_whole = asked.get("what", "shown" if query.parameters() or query.faults else "all") == "all"
    error = "" if _is_seq(after or "0") else "Enter an event number (0 or higher)."
    faults = [] if is_whole else _faults(query, request.scope)
    context = {
        "query": query,
        "filters": {name: value for name, value in asked.items() if name not in OTHER_PARAMETERS},
        "chips": chips_of(query, request.scope),
        "clear_url": reverse("audit:export"),
        "after": after,
        "format": form,
        "is_whole": is_whole,
        "error": error,
        "faults": faults,
        "last_seq": audit.last_seq(),
        "last": _last_export(request),
    }
    if request.method == "GET" or error or faults:
        status = 422 if error or (faults and request.method == "POST") else 200
        return render(request, "audit/export.html", context, status=status)
    try:
        place = Place()
        begun = export.begin(
            form=form,
            actor=actor_of(request),
            after=int(after or 0),
            filters=_filters(query, request.scope, is_whole=is_whole),
            events=lambda: _exported(query, request.scope, is_whole=is_whole),
        )
    except TooManyDownloads:
        answer = render(request, "audit/export.html", {**context, "is_busy": True}, status=503)
        answer["Retry-After"] = "30"
        return answer
    except audit.NotRecorded:
        return render(request, "audit/export.html", {**context, "not_recorded": True}, status=503)
    response = Download(place, _chunks(begun.lines()), content_type=CONTENT_TYPES[begun.form])
    name = f"audit-{timezone.now():%Y-%m-%d}-after-{begun.after}-through-{begun.through}.{begun.form}"
    return _attached(response, name)


@require_http_methods(["GET", "POST"])
@permitted("flows.export_auditevent", action=evidence.VERIFY, everywhere=True)
def verification(request: Request) -> HttpResponseBase:
    """When the log was last verified and up to where. By POST it is verified, or the signed head is given."""
    if request.method == "GET":
        return _verification_page(request)
    if request.POST.get("act") == "head":
        head = evidence.signed_head()
        response = HttpResponse(json.dumps(head) + "\n", content_type="application/json")
        return _attached(response, f"audit-head-{timezone.now():%Y-%m-%d}-{head['seq']}.json")
    text = request.POST.get("head", "").strip()
    kept = evidence.read_head(text)
    if text and kept is None:
        return _verification_page(request, text=text, status=422)
    verdict, event = evidence.verify_on_record(actor=actor_of(request), head=kept)
    if event is None:
        return _verification_page(request, unrecorded=verdict, text=text, status=503)
    return redirect("audit:verification")


def _faults(query: LogQuery, scope: accounts.Scope) -> list[str]:
    unknown = log_list.unknown_values(query, scope, reading.people(scope))
    return [*query.faults.values(), *unknown.values()]


def _exported(query: LogQuery, scope: accounts.Scope, *, is_whole: bool) -> QuerySet[AuditEvent]:
    return readable(scope) if is_whole else matching(query, scope)


def _filters(query: LogQuery, scope: accounts.Scope, *, is_whole: bool) -> dict[str, str | int] | None:
    """What the file is chosen by, for the record; None if it is the log as a whole."""
    chosen = {} if is_whole else query.parameters()
    only = {} if scope is None else {"accounts": " ".join(sorted(scope))}
    return None if is_whole and scope is None else {**chosen, **only}


def _verification_page(
    request: Request, *, text: str = "", unrecorded: Verdict | None = None, status: int = 200
) -> HttpResponse:
    verifications = AuditEvent.objects.filter(action=evidence.VERIFY).select_related("payload")
    last = evidence.last_verification()
    bad_seq = last.said.get("bad_seq") if last else None
    context = {
        "last": last,
        "bad_event": AuditEvent.objects.filter(seq=bad_seq).first() if bad_seq is not None else None,
        "unrecorded": unrecorded,
        "text": text,
        "is_not_ours": status == 422,
        "verifications": list(verifications.order_by("-seq")[:LATEST_SHOWN]),
        "all_url": LogQuery(action=evidence.VERIFY).url(),
    }
    return render(request, "audit/verification.html", context, status=status)


def _last_export(request: Request) -> dict[str, Any] | None:
    """This person's last one: when, and where the next goes on."""
    exports = AuditEvent.objects.filter(action=export.ACTION, result=Result.SUCCEEDED)
    event = exports.filter(actor_id=str(request.user.pk)).order_by("-seq").first()
    return {"event": event, "through": event.seq} if event else None


def _is_seq(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _chunks(lines: Iterator[str]) -> Iterator[str]:
    """The same text in pieces that are worth sending."""
    kept, size = [], 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= CHUNK:
            yield "".join(kept)
            kept, size = [], 0
    yield "".join(kept)


def _attached(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
