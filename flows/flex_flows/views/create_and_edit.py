"""The form of a flow, to create or edit one, and the review before it is sent.

Each view checks the form and calls one service. `responses` has the pages for the result.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from flows.accounts.clients import FORM_DEADLINE
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, readable_event, require_permission
from flows.audit.models import AuditEvent
from flows.changes import flow_changes, flow_holds, refusal_messages
from flows.changes.forms.conflict import TYPE_FIELD, Conflict
from flows.changes.problem import Problem
from flows.changes.views.responses import FormRenderer
from flows.checks.account_rules import TWO_ON
from flows.checks.findings import warnings_of
from flows.checks.flow_surroundings import check_with_surroundings
from flows.checks.stored_state import oldest_reading
from flows.core.opened_forms import carried_initial, is_opening
from flows.flex_flows.collisions import collision_warnings
from flows.flex_flows.flex_defaults import load_defaults
from flows.flex_flows.forms import (
    FlowForm,
    read_base,
    resolve_conflict,
    sign_base,
)
from flows.flex_flows.number_choices import offer_numbers
from flows.flex_flows.target_choices import offer_targets
from flows.flex_flows.views import responses
from flows.flex_flows.views.clone import (
    CloneDraft,
    build_clone,
    render_account_choice,
    target_account,
)
from flows.flex_flows.views.conflicts import build_conflict_rows, display_redacted
from flows.flex_flows.views.page_source import fetch_once
from flows.flex_flows.views.restore import Restore
from flows.mirror import flow_reads, mirror
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.names.named_sids import name_sids
from flows.redaction.redacted import redact_fields
from flows.twilio.cleaning import to_text
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW, INTEGRATION_TYPES
from flows.twilio.resource import Snapshot


@require_http_methods(["GET", "POST"])
@require_permission("flows.add_flow", action="flow.create")
def flow_new(request: Request) -> HttpResponse:
    """Create a flow, also as a clone of another or from an earlier version."""
    account = target_account(request)
    if account is None:
        return render_account_choice(request)
    request.account_sid = account.sid
    unavailable = responses.unavailable_response(
        request, account.sid, "create", task="create the flow"
    )
    if unavailable:
        return unavailable
    if is_opening(request):
        return _open_new_form(request, account)
    page = partial(render_form, request)
    if not request.htmx:  # the list of fields that were not copied stays
        page = partial(page, clone=build_clone(request, account))
    if "update_fields" in request.POST:
        return page(FlowForm(initial=request.POST.dict()))
    form = FlowForm(request.POST)
    review_page = _review_page(request, "", form, page)
    if review_page:
        return review_page
    return responses.submit_change(
        request,
        form,
        page,
        lambda common: flow_changes.create_flow(
            values=form.values, account_sid=account.sid, **common
        ),
        task="create the flow",
    )


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action="flow.update")
def flow_edit(request: Request, sid: str) -> HttpResponse:
    """Edit a flow, also to restore an earlier version or to resolve a conflict."""
    account_sid = request.account_sid
    unavailable = responses.unavailable_response(
        request, account_sid, "update", task="change the flow"
    )
    if unavailable:
        return unavailable
    page = partial(render_form, request)
    base = read_base(request.POST.get("base", ""), sid)
    if base is None:
        return _open_edit_form(request, sid)
    if "update_fields" in request.POST:
        initial = {TYPE_FIELD: "", **request.POST.dict()}  # not the flow's own type
        return page(FlowForm(base=base, initial=initial))
    conflict_page = _require_choices(request, base, page)
    if conflict_page:
        return conflict_page
    form = FlowForm(apply_choices(request, base, sid), base=base)
    if "apply_choices" in request.POST:
        return page(form)
    review_page = _review_page(request, sid, form, page)
    if review_page:
        return review_page
    return responses.submit_change(
        request,
        form,
        page,
        lambda common: flow_changes.update_flow(
            sid=sid, base=base, values=form.values, account_sid=account_sid, **common
        ),
        task="save your changes",
        sid=sid,
    )


def _review_page(
    request: Request, sid: str, form: FlowForm, page: FormRenderer
) -> HttpResponse | None:
    """Return the page before a change is sent, or None if the user sends it now."""
    if "edit_again" in request.POST:
        return page(form)
    if not form.is_valid():
        return page(form, status=422)
    return render_review(request, sid, form) if "review" in request.POST else None


def apply_choices(request: Request, base: Snapshot, sid: str) -> QueryDict:
    """Return the form's data with the values that the user selected for fields in conflict."""
    conflict = Conflict.load(request.POST.get("conflict", ""), sid)
    if conflict is None:
        return request.POST
    return resolve_conflict(request.POST, base, conflict)


def _require_choices(request: Request, base: Snapshot, page: FormRenderer) -> HttpResponse | None:
    """Return the form again while a field in conflict has no choice, else None."""
    form = FlowForm(request.POST, base=base)
    if form.pending_conflict is None:
        return None
    if "edit_again" in request.POST:  # back from the review, with all choices as they were
        return page(form)
    is_incomplete = form.add_choice_errors(form.pending_conflict)
    return page(form, status=422) if is_incomplete else None


def _open_new_form(request: Request, account: Account) -> HttpResponse:
    """Return the form for a new flow, also with the values of an earlier version or of a clone."""
    restore = Restore.from_request(request, live={})
    if restore is not None:
        form = FlowForm(initial=_initial_values(request, restore))
        return render_form(request, form, restore=restore)
    clone = build_clone(request, account)
    defaults = {} if clone.initial else load_defaults(request)
    form = FlowForm(initial={**defaults, **clone.initial, **carried_initial(request)})
    return render_form(request, form, clone=clone, has_defaults=bool(defaults))


def _open_edit_form(request: Request, sid: str) -> HttpResponse:
    """Return the edit form for the flow as it is at Twilio now.

    A form that was sent without a valid `base` comes back with its input and an error.
    """
    try:
        base = fetch_once(request, sid, deadline=FORM_DEADLINE)
    except FlexError as error:
        return _cannot_edit_response(request, sid, error)
    if is_opening(request):
        restore = Restore.from_request(request, sid=sid, live=base)
        form = FlowForm(base=base, initial=_initial_values(request, restore))
        return render_form(request, form, restore=restore)
    data = request.POST.copy()
    data["base"], data["change_id"] = sign_base(base), str(uuid.uuid4())
    form = FlowForm(data, base=base)
    return render_form(request, form, status=422, problem=refusal_messages.base_missing())


def _cannot_edit_response(request: Request, sid: str, error: FlexError) -> HttpResponse:
    """Return the response for a flow that could not be read: it is deleted, or Twilio failed.

    A deleted flow whose earlier version is to be restored leads to the form for a new one.
    """
    if flow_reads.is_not_found(error):
        restore = Restore.from_request(request, sid=sid, live={})
        if restore is None:
            return responses.redirect_deleted(request, sid)
        if "begin" in request.POST:  # a redirect would put the reason into an address
            return cast(HttpResponse, flow_new(request))
        return redirect(f"{reverse('flows:new')}?{request.GET.urlencode()}")
    # The flow's page reads from Twilio as well, and says why that fails.
    message = (
        "Couldn't open the edit form: the flow's current settings couldn't be read. "
        "Nothing was sent."
    )
    if isinstance(error, StaleRead):
        message += " Try again in a minute."
    messages.error(request, message)
    response = redirect("flows:detail", sid=sid)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": response.url})
    return response


def _initial_values(request: Request, restore: Restore | None) -> dict[str, Any]:
    """Return the values of the earlier version, overridden by input that a page carries along."""
    values: dict[str, Any] = {}
    if restore:
        values = {**restore.initial, "refers_to": restore.event.event_id}
    return {**values, **carried_initial(request)}


def render_form(
    request: Request,
    form: FlowForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
    restore: Restore | None = None,
    clone: CloneDraft | None = None,
    has_defaults: bool = False,
) -> HttpResponse:
    offer_targets(form, request.account_sid)
    offer_numbers(form, request.account_sid)
    context: dict[str, Any] = {
        "form": form,
        "flow": _heading_flow(request, form),
        "problem": problem,
        "conflicts": build_conflict_rows(form, request.account_sid),
        "restore": restore,
        "clone": clone,
        "has_defaults": has_defaults,
        "read_note": "" if form.is_bound else f"Read from Twilio at {timezone.now():%H:%M} UTC",
        "origin": restore.event if restore else _related_event(request, form),
    }
    if request.htmx and "update_fields" in request.POST:
        type_label = INTEGRATION_TYPES.get(form.selected_type, "no")
        context["announce"] = f"{type_label} settings"
        return render(request, "flows/_integration_fields.html", context)
    return render(request, "flows/form.html", context, status=status)


def _related_event(request: Request, form: FlowForm) -> AuditEvent | None:
    """Return the event that the form restores or reverts, if the user may see it."""
    return readable_event(to_text(form["refers_to"].value()), request)


def _heading_flow(request: Request, form: FlowForm) -> Flow | None:
    """Return the flow for the heading, as it was when the form was opened. A new one has none."""
    if form.snapshot is None:
        return None
    return mirror.flow_from_snapshot(redact_fields(form.snapshot), request.account_sid)


def render_review(
    request: Request, sid: str, form: FlowForm, *, status: int = 200, **extra: Any
) -> HttpResponse:
    """Render the changes that saving would send, with the current and new values.

    `extra` are the template's `schedule_form` and `problem` after a schedule was refused.
    """
    base, values = form.base_flow, form.values
    names = FLEX_FLOW.differing_fields(base, values, values)
    if sid and not names:
        messages.info(request, "No changes to save.")
        return render_form(request, form)
    hold = flow_holds.find_hold(sid)
    changed_values = {name: values[name] for name in names}
    rows = []
    for name in names:
        row = {
            "label": FLEX_FLOW.label_of(name),
            "now": display_redacted(name, base.get(name)),
            "new": display_redacted(name, values[name]),
        }
        rows.append(row)
    name_sids(((request.account_sid, row) for row in rows), ["now", "new"])
    result = {**base, **values}
    context = {
        "form": form,
        "flow": _heading_flow(request, form),
        "rows": rows,
        "operation": "update" if sid else "create",
        "requested": changed_values,
        "hold": hold,
        "hold_warning": hold.find_warning("update", changed_values) if hold else "",
        **_findings_context(request.account_sid, sid, base, result),
        "names_read_at": oldest_reading([request.account_sid]),
        "origin": _related_event(request, form),
        **extra,
    }
    return render(request, "flows/review.html", context, status=status)


def _findings_context(
    account_sid: str, sid: str, base: Mapping[str, Any], result: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Return what is wrong with the flow as it would be, and what would no longer be."""
    later_warnings = _find_warnings(account_sid, sid, result)
    if not sid:
        return {"new_warnings": later_warnings}
    current_warnings = _find_warnings(account_sid, sid, base)
    return {
        "new_warnings": [each for each in later_warnings if each not in current_warnings],
        "warnings": [each for each in later_warnings if each in current_warnings],
        "cleared_warnings": [each for each in current_warnings if each not in later_warnings],
    }


def _find_warnings(account_sid: str, sid: str, flow: Mapping[str, Any]) -> list[str]:
    """Return the warnings of all checks, but for collisions, of which the review says more."""
    findings = check_with_surroundings(account_sid, sid, flow, is_planned=True)
    warnings = warnings_of(each for each in findings if each.rule != TWO_ON)
    return [*collision_warnings(account_sid, sid, flow), *warnings]
