"""The import page: flows from pasted text or a file become the draft of a bulk change.

JSON leads to the draft at once. A table first leads to the page that maps its columns to fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.audit.access import Request, require_permission
from flows.core import database
from flows.mirror.models import Flow
from flows.plans import import_draft
from flows.plans.actions import PlanAction
from flows.plans.forms import ColumnsForm
from flows.plans.import_entries import check_items, has_local_details, item_sid
from flows.plans.import_table import Table, read_table
from flows.plans.import_text import ImportItem, clean_text, decode_file, is_json, parse_items
from flows.redaction.redacted import Redacted

DETAILS_NOT_IMPORTED: Final = (
    "Owners, tags and notes were not imported. Change them on a flow's page or with a bulk change."
)


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=PlanAction.START)
def plan_import(request: Request) -> HttpResponse:
    """Import flows from JSON or a table. Text that can't be read stays in the form."""
    pasted = request.POST.get("entries", "")
    if request.method == "GET" or "edit_again" in request.POST:
        return _render_import(request, pasted)
    try:
        text = _read_input(request, pasted)
    except ValidationError as error:
        return _render_import(request, pasted, error)
    try:
        return _import_text(request, text)
    except ValidationError as error:
        return _render_import(request, text, error)


def _import_text(request: Request, text: str) -> HttpResponse:
    """Draft the import, or show the page that maps the columns of a table to fields.

    Raises `ValidationError` if the text can't be read.
    """
    if is_json(text):
        return _create_draft(request, parse_items(text))
    table = read_table(text)
    if "column_0" not in request.POST:
        return _render_columns(request, text, ColumnsForm(table))
    form = ColumnsForm(table, request.POST)
    if not form.is_valid():
        return _render_columns(request, text, form, status=422)
    return _create_draft(request, table.items(form.targets))


def _read_input(request: Request, pasted: str) -> str:
    file = request.FILES.get("file")
    if file is None:
        return clean_text(pasted)
    if pasted.strip():
        raise ValidationError("Choose a file or paste text, not both.")
    data = file.read()
    if not data:
        raise ValidationError(f"The file “{str(file.name)[:80]}” is empty.")
    return clean_text(decode_file(data))


def _create_draft(request: Request, items: Sequence[ImportItem]) -> HttpResponse:
    visible_scope = scope_of(request.user, "flows.view_flow")
    entries = check_items(items, _visible_flows(items, visible_scope))
    plan = import_draft.plan_import(
        entries=entries,
        created_by=request.user.get_username(),
        editable_scope=request.scope,
        visible_scope=visible_scope,
    )
    if has_local_details(items):
        messages.info(request, DETAILS_NOT_IMPORTED)
    return redirect("flows:plan", plan_id=plan.pk)


def _visible_flows(
    items: Sequence[ImportItem], visible_scope: twilio_accounts.Scope
) -> Mapping[str, Redacted]:
    """Return the visible flows that the import names, by SID, from the mirror."""
    sids = dict.fromkeys(item_sid(item) for item in items)
    sids.pop("", None)
    flows: dict[str, Redacted] = {}
    for batch in database.split_batches(list(sids)):
        rows = twilio_accounts.filter_scope(Flow.objects.filter(sid__in=batch), visible_scope)
        flows |= dict(rows.values_list("sid", "resource"))
    return flows


def _render_import(
    request: Request, text: str, error: ValidationError | None = None
) -> HttpResponse:
    context = {"text": text, "error": error.message if error else ""}
    return render(request, "flows/import.html", context, status=422 if error else 200)


def _render_columns(
    request: Request, text: str, form: ColumnsForm, *, status: int = 200
) -> HttpResponse:
    table: Table = form.table
    context = {"text": text, "form": form, "table": table, "row_count": len(table.rows)}
    return render(request, "flows/import_columns.html", context, status=status)
