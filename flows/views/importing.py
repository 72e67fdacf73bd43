"""The import page: flows from pasted text or a file. JSON leads to the draft of a bulk change at once, a table by way of a
page that shows which column goes to which field. What was sent stays in place when it can't be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from flexadmin.roles import scope_of
from flows import accounts
from flows.forms.entries import read_items, sid_of
from flows.forms.import_table import ColumnsForm, Table, read_table
from flows.forms.import_text import Item, decoded, is_json, items_of_json, plain
from flows.models import Flow
from flows.services import planning, plans
from flows.services.planning import Entry
from flows.views.requests import Request, permitted


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action=plans.START)
def plan_import(request: Request) -> HttpResponse:
    """Flows as JSON or as a table, to be changed to that, or created."""
    pasted = request.POST.get("entries", "")
    if request.method == "GET" or "edit_again" in request.POST:
        return _import_page(request, pasted)
    try:
        text = _text_of(request, pasted)
    except ValidationError as error:
        return _import_page(request, pasted, error)
    try:
        if is_json(text):
            return _draft(request, items_of_json(text))
        table = read_table(text)
    except ValidationError as error:
        return _import_page(request, text, error)
    if "column_0" not in request.POST:
        return _columns_page(request, text, ColumnsForm(table))
    form = ColumnsForm(table, request.POST)
    if not form.is_valid():
        return _columns_page(request, text, form, status=422)
    return _draft(request, table.items(form.targets))


def _text_of(request: Request, pasted: str) -> str:
    file = request.FILES.get("file")
    if file is None:
        return plain(pasted)
    if pasted.strip():
        raise ValidationError("Choose a file or paste text, not both.")
    data = file.read()
    if not data:
        raise ValidationError(f"The file “{str(file.name)[:80]}” is empty.")
    return plain(decoded(data))


def _draft(request: Request, items: Sequence[Item]) -> HttpResponse:
    seen = scope_of(request.user, "flows.view_flow")
    given = read_items(items, _known(items, seen))
    entries = [Entry(one.sid, one.values, one.error, one.account_sid, one.origin) for one in given]
    plan = planning.plan_entries(
        entries=entries, made_by=request.user.get_username(), within=request.scope, seen=seen
    )
    return redirect("flows:plan", plan_id=plan.pk)


def _known(items: Sequence[Item], seen: accounts.Scope) -> Mapping[str, dict[str, Any]]:
    """The flows that the import may change, by SID, as the mirror has them."""
    sids = list(dict.fromkeys(sid for item in items if (sid := sid_of(item))))
    known: dict[str, dict[str, Any]] = {}
    for some in planning.batches(sids):
        rows = accounts.within(Flow.objects.filter(sid__in=some), seen)
        known |= dict(rows.values_list("sid", "resource"))
    return known


def _import_page(request: Request, text: str, error: ValidationError | None = None) -> HttpResponse:
    context = {"text": text, "error": error.message if error else ""}
    return render(request, "flows/import.html", context, status=422 if error else 200)


def _columns_page(request: Request, text: str, form: ColumnsForm, *, status: int = 200) -> HttpResponse:
    table: Table = form.table
    context = {"text": text, "form": form, "table": table, "flows": len(table.rows)}
    return render(request, "flows/import_columns.html", context, status=status)
