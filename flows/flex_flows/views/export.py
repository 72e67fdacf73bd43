"""The export of selected flows: CSV, JSON that can be imported again, a file for `apply`, Terraform."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.audit import audit_log
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.audit_log import Payload
from flows.audit.models import Result, Stage
from flows.core import database
from flows.flex_flows import flow_files, snippets, terraform
from flows.flex_flows.actions import FlowPageAction
from flows.local_details.fields import LABELS, Details
from flows.local_details.reading import details_by_sid
from flows.mirror.models import Flow
from flows.redaction.redacted import Redacted, redact_fields
from flows.search import flow_search
from flows.twilio.flex.flex_flow import FLEX_FLOW


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format of exported flows. `write` returns the text of flows with the columns of this site."""

    content_type: str
    extension: str
    write: Callable[[Sequence[Redacted], snippets.Columns], str]


# By the value that the list's buttons post.
FORMATS: Final = {
    "csv": ExportFormat("text/csv; charset=utf-8", "csv", partial(snippets.as_csv, FLEX_FLOW)),
    "json": ExportFormat("application/json", "json", partial(snippets.as_json, FLEX_FLOW)),
    "yaml": ExportFormat(
        "application/yaml", "yaml", lambda flows, _columns: flow_files.as_yaml(flows)
    ),
    "terraform": ExportFormat(
        "text/plain; charset=utf-8",
        "tf",
        lambda flows, _columns: terraform.as_twilio_terraform(flows),
    ),
    "terraform-rjpearson94": ExportFormat(
        "text/plain; charset=utf-8",
        "tf",
        lambda flows, _columns: terraform.as_rjpearson94_terraform(flows),
    ),
}
SELECTION_EMPTY = "Select at least one flow."


@require_POST
@require_permission("flows.view_flow", action=FlowPageAction.EXPORT)
def flow_export(request: Request) -> HttpResponse:
    """Return the selected flows as a file, and log that they leave the site.

    They come from the mirror, which has no secrets. The last columns are owner, tags and note.
    """
    sids = selected_sids(request)
    if not sids:
        return reject_empty_selection(request)
    file_format = request.POST.get("format", "csv")
    if file_format not in FORMATS:
        messages.error(
            request,
            f"Nothing was exported: “{file_format[:40]}” is not a format. Choose one in the list.",
        )
        return redirect(list_url(request))
    flows = _selected_flows(sids, request.scope)
    try:
        audit_log.append(
            action=FlowPageAction.EXPORT,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=get_actor(request),
            payload=Payload(requested=redact_fields({"format": file_format, "flows": len(flows)})),
        )
    except audit_log.NotRecorded:  # back to the list, which keeps its search
        messages.error(request, "Nothing was exported: couldn't write to the audit log.")
        return redirect(list_url(request))
    chosen = FORMATS[file_format]
    text = chosen.write(flows, _details_columns(flows))
    file_name = f"flex-flows-{timezone.now():%Y-%m-%d}.{chosen.extension}"
    response = HttpResponse(text, content_type=chosen.content_type)
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _details_columns(flows: Sequence[Redacted]) -> dict[str, list[Any]]:
    """Return the owners, the tags and the notes of these flows, in their order."""
    sids = [str(flow.get("sid")) for flow in flows]
    details = details_by_sid(sids)
    rows = [details.get(sid, Details()).as_values() for sid in sids]
    return {name: [row[name] for row in rows] for name in LABELS}


def _selected_flows(sids: Sequence[str], scope: twilio_accounts.Scope) -> list[Redacted]:
    """Return these flows from the mirror, sorted by name."""
    rows: list[Flow] = []
    for batch_rows in _visible_rows(sids, scope):
        rows += batch_rows
    rows.sort(key=lambda row: (row.name_folded, row.sid))
    return [row.resource for row in rows]


def _visible_rows(sids: Sequence[str], scope: twilio_accounts.Scope) -> Iterator[QuerySet[Flow]]:
    """Yield the rows of these flows in the mirror, in batches, without those outside the scope."""
    for batch in database.split_batches(sids):
        yield twilio_accounts.filter_scope(Flow.objects.filter(sid__in=batch), scope)


def selected_sids(request: Request) -> list[str]:
    """Return the SIDs of the selected flows that the user may see.

    They are ticked on this page of the list (`sid`) or on others (`sids`), or all that the list's
    query finds. A query with an error finds none.
    """
    if _selects_all(request):
        return flow_search.list_sids(_list_query(request))
    sids = _ticked_sids(request)
    scope = scope_of(request.user, "flows.view_flow")
    if scope is None:
        return sids
    return _filter_visible(sids, scope)


def _filter_visible(sids: Sequence[str], scope: twilio_accounts.Scope) -> list[str]:
    """Return those of these SIDs whose flow in the mirror is in the scope, in the same order."""
    visible_sids: set[str] = set()
    for rows in _visible_rows(sids, scope):
        visible_sids.update(rows.values_list("sid", flat=True))
    return [sid for sid in sids if sid in visible_sids]


def _ticked_sids(request: Request) -> list[str]:
    """Return the distinct SIDs in the form. Anything else in it is ignored."""
    texts = [*request.POST.getlist("sid"), *request.POST.get("sids", "").split()]
    return [text for text in dict.fromkeys(texts) if FLEX_FLOW.is_sid(text)]


def reject_empty_selection(request: Request) -> HttpResponse:
    """Redirect to the list, with the reason why nothing is selected."""
    message = SELECTION_EMPTY
    error_text = _list_query(request).error_text
    if error_text and _selects_all(request):
        message = f"Nothing was selected. {error_text}"
    messages.warning(request, message)
    return redirect(list_url(request))


def list_url(request: Request) -> str:
    """Return the address of the list from which the user came."""
    query = _list_query(request)
    query_string = query.url() if query.errors else query.url(page=query.page)
    return reverse("flows:list") + query_string


def _selects_all(request: Request) -> bool:
    return request.POST.get("all", "") == "1"


def _list_query(request: Request) -> flow_search.Query:
    scope = scope_of(request.user, "flows.view_flow")
    return flow_search.Query.from_query_string(request.POST.get("query", ""), scope)
