"""Changing flows: new, edit, switch on or off, delete. Each view checks the form and calls one service; what
becomes of it is told in outcomes.py. Reading is in flows.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from flows.accounts.clients import FORM_DEADLINE, READ_DEADLINE
from flows.audit.access import Request, readable_event, require_permission
from flows.changes import flow_changes
from flows.changes.forms.conflict import Conflict
from flows.changes.forms.reason import CONFIRMED_FIELDS, DeleteForm, EnabledForm
from flows.checks import flow_warnings
from flows.core.identities import normalize_identity
from flows.core.opened_forms import carried_initial, carried_value, is_opening
from flows.flex_flows.forms import (
    FlowForm,
    apply_their_values,
    read_base,
    resolve_conflict,
    sign_base,
)
from flows.flex_flows.views import responses
from flows.flex_flows.views.clone import (
    CloneDraft,
    build_clone,
    render_account_choice,
    target_account,
)
from flows.flex_flows.views.conflicts import build_conflict_rows, displayed_values
from flows.flex_flows.views.page_source import fetch_once
from flows.flex_flows.views.responses import FormRenderer
from flows.flex_flows.views.restore import Restore
from flows.mirror import failure_messages, mirror
from flows.mirror.failure_messages import Problem
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.mirror.views.accounts import unavailable_response
from flows.redaction.masking import redact_field, replace_unstorable
from flows.search import flow_search
from flows.twilio import labels
from flows.twilio.errors import FlexError
from flows.twilio.flex import flex_flow

MAX_COLLISIONS: Final = 5  # flows with the same identity that a page names


@require_http_methods(["GET", "POST"])
@require_permission("flows.add_flow", action="flow.create")
def flow_new(request: Request) -> HttpResponse:
    account = target_account(request)
    if account is None:
        return render_account_choice(request)
    request.account_sid = account.sid
    if closed := unavailable_response(request, account.sid, "create", task="create the flow"):
        return closed
    page = partial(_render_form, request, "")
    if is_opening(request):
        restore = Restore.asked_for(request, live=None)
        if restore is None:
            clone = build_clone(request, account)
            return page(
                FlowForm(initial={**clone.initial, **carried_initial(request)}), clone=clone
            )
        return page(FlowForm(initial=_initial_values(request, restore)), restore=restore)
    if not request.htmx and "clone" in request.GET:  # what stayed behind is still to be seen
        page = partial(page, clone=build_clone(request, account))
    if "update_fields" in request.POST:
        return page(FlowForm(initial=request.POST.dict()))
    form = FlowForm(request.POST)
    if "edit_again" in request.POST:
        return page(form)
    if not form.is_valid():
        return page(form, status=422)
    if "review" in request.POST:
        return _render_review(request, "", form)
    return responses.submit_change(
        request,
        form,
        page,
        lambda common: flow_changes.create_flow(
            values=form.values, account_sid=account.sid, **common
        ),
        what="create the flow",
    )


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action="flow.update")
def flow_edit(request: Request, sid: str) -> HttpResponse:
    if closed := unavailable_response(
        request, request.account_sid, "update", task="change the flow"
    ):
        return closed
    page = partial(_render_form, request, sid)
    base = read_base(request.POST.get("base", ""), sid)
    if base is None:
        return _open_edit_form(request, sid)
    if "update_fields" in request.POST:
        return page(FlowForm(base=base, initial=_form_input(request, base, sid)))
    if unsettled := _require_choices(request, base, page):
        return unsettled
    form = FlowForm(_apply_choices(request, base, sid), base=base)
    if "edit_again" in request.POST or "apply_choices" in request.POST:
        return page(form)
    if not form.is_valid():
        return page(form, status=422)
    if "review" in request.POST:
        return _render_review(request, sid, form)
    return responses.submit_change(
        request,
        form,
        page,
        lambda common: flow_changes.update_flow(
            sid=sid, base=base, values=form.values, account_sid=request.account_sid, **common
        ),
        what="save your changes",
        sid=sid,
    )


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action="flow.update")
def flow_enabled(request: Request, sid: str) -> HttpResponse:
    flow = _find_flow(request, sid)
    if isinstance(flow, HttpResponse):
        return flow
    if flow.gone_at and _is_form_request(request):
        return _redirect_deleted(request, sid)
    if closed := unavailable_response(
        request, request.account_sid, "update", task="change the flow"
    ):
        return closed
    page = partial(_render_switch, request, flow)
    if _is_form_request(request):
        target = "false" if flow.enabled else "true"
        initial = {
            "change_id": uuid.uuid4(),
            "enabled": target,
            "refers_to": _undone_event_id(request, sid),
        }
        return page(EnabledForm(initial={**initial, **request.POST.dict()}))
    form = EnabledForm(request.POST)
    if not form.is_valid():
        return page(form, status=422)
    enabled = form.cleaned_data["enabled"]
    return responses.submit_change(
        request,
        form,
        page,
        lambda common: flow_changes.set_enabled(
            sid=sid, enabled=enabled, account_sid=request.account_sid, **common
        ),
        what=f"turn {'on' if enabled else 'off'} the flow",
        sid=sid,
    )


@require_http_methods(["GET", "POST"])
@require_permission("flows.delete_flow", action="flow.delete")
def flow_delete(request: Request, sid: str) -> HttpResponse:
    flow = _find_flow(request, sid)
    if isinstance(flow, HttpResponse):
        return flow
    if flow.gone_at and _is_form_request(request):
        return _redirect_deleted(request, sid)
    if closed := unavailable_response(
        request, request.account_sid, "delete", task="delete the flow"
    ):
        return closed
    page = partial(_render_delete, request, flow)
    expected = flow.friendly_name or flow.sid
    if _is_form_request(request):
        initial = {
            "change_id": uuid.uuid4(),
            "refers_to": _undone_event_id(request, sid),
            **request.POST.dict(),
        }
        shown = displayed_values(flow.resource, CONFIRMED_FIELDS)
        return page(DeleteForm(expected=expected, sid=sid, shown=shown, initial=initial))
    form = DeleteForm(request.POST, expected=expected, sid=sid)
    if not form.is_valid():
        return page(form, status=422)
    seen = {"friendly_name": flow.value("friendly_name"), **(form.seen or {})}
    return responses.submit_change(
        request,
        form,
        page,
        lambda common: flow_changes.delete_flow(
            sid=sid, base=seen, account_sid=request.account_sid, **common
        ),
        what="delete the flow",
        sid=sid,
    )


def _form_input(request: Request, base: Mapping[str, Any], sid: str) -> dict[str, Any]:
    """The fields as they stand while the integration type is being chosen."""
    is_pending = Conflict.read(request.POST.get("conflict", ""), sid) is not None
    typed = request.POST if is_pending else apply_their_values(request.POST, dict(base))
    return {**typed.dict(), "integration_type": request.POST.get("integration_type", "")}


def _apply_choices(request: Request, base: Mapping[str, Any], sid: str) -> QueryDict:
    """Return the form's data with the values that were chosen where two people changed the same field."""
    conflict = Conflict.read(request.POST.get("conflict", ""), sid)
    return (
        resolve_conflict(request.POST, dict(base), conflict)
        if conflict
        else apply_their_values(request.POST, dict(base))
    )


def _require_choices(
    request: Request, base: Mapping[str, Any], page: FormRenderer
) -> HttpResponse | None:
    """The form once more while a field in conflict has no choice; None if there is nothing to choose."""
    form = FlowForm(request.POST, base=dict(base))
    if form.pending is None:
        return None
    if (
        "edit_again" in request.POST
    ):  # what was typed comes back as it was, with the choices made so far
        return page(form)
    return page(form, status=422) if form.add_choice_errors() else None


def _is_form_request(request: Request) -> bool:
    """Whether a form is only asked for, empty or with what was typed into it before. Nothing is sent."""
    return is_opening(request) or "edit_again" in request.POST


def _find_flow(request: Request, sid: str) -> Flow | HttpResponse:
    """The flow in the copy; one that is not there yet is read from Twilio. It may be held back from the copy,
    because an open creation may have made it. A response if it can't be read: that proves no absence."""
    flow = Flow.objects.filter(sid=sid).first()
    if flow is not None:
        return flow
    try:
        return mirror.flow_from_snapshot(
            fetch_once(request, sid, deadline=READ_DEADLINE), request.account_sid
        )
    except FlexError as error:
        if mirror.is_not_found(error):
            raise Http404("Twilio has no such Flex Flow") from error
        messages.error(request, f"Couldn't read the flow from Twilio: {error}. Nothing was sent.")
        return responses.redirect_page(request, "flows:detail", sid=sid)


def _redirect_deleted(request: Request, sid: str) -> HttpResponse:
    messages.error(request, "This flow was deleted at Twilio. It can't be changed.")
    return responses.redirect_page(request, "flows:detail", sid=sid)


def _open_edit_form(request: Request, sid: str) -> HttpResponse:
    """The edit form on the flow as it is at Twilio now. A form that came back without the flow as its sender
    saw it is shown again on that, with what was typed."""
    try:
        base = fetch_once(request, sid, deadline=FORM_DEADLINE)
    except FlexError as error:
        if mirror.is_not_found(error):
            made_anew = Restore.asked_for(request, sid=sid, live=None)
            if made_anew and "begin" in request.POST:
                return cast(
                    HttpResponse, flow_new(request)
                )  # the reason goes along, and into no address
            again = f"{reverse('flows:new')}?{request.GET.urlencode()}"
            return redirect(again) if made_anew else _redirect_deleted(request, sid)
        # The flow's page asks Twilio itself, and says why it can't be read.
        then = " Try again in a minute." if isinstance(error, StaleRead) else ""
        needs = "Couldn't open the edit form: the flow's current settings couldn't be read. Nothing was sent."
        messages.error(request, f"{needs}{then}")
        answer = redirect("flows:detail", sid=sid)
        return (
            HttpResponse(status=204, headers={"HX-Redirect": answer.url})
            if request.htmx
            else answer
        )
    if is_opening(request):
        restore = Restore.asked_for(request, sid=sid, live=base)
        return _render_form(
            request,
            sid,
            FlowForm(base=base, initial=_initial_values(request, restore)),
            restore=restore,
        )
    data = request.POST.copy()
    data["base"], data["change_id"] = sign_base(base), str(uuid.uuid4())
    return _render_form(
        request, sid, FlowForm(data, base=base), status=422, problem=failure_messages.base_missing()
    )


def _undone_event_id(request: Request, sid: str) -> uuid.UUID | None:
    """The event of this flow that this change undoes, from the address."""
    event = readable_event(carried_value(request, "undo"), request)
    return event.event_id if event and event.target_sid == sid else None


def _initial_values(request: Request, restore: Restore | None) -> dict[str, Any]:
    state = {**restore.initial, "refers_to": restore.event.event_id} if restore else {}
    return {**state, **carried_initial(request)}


def _render_form(
    request: Request,
    sid: str,
    form: FlowForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
    restore: Restore | None = None,
    clone: CloneDraft | None = None,
) -> HttpResponse:
    flow = _heading_flow(request, sid, form)
    context: dict[str, Any] = {
        "form": form,
        "flow": flow,
        "problem": problem,
        "conflicts": build_conflict_rows(form),
        "restore": restore,
        "clone": clone,
        "offered": flow_search.suggest_values(request.account_sid),
        "read_note": "" if form.is_bound else f"Read from Twilio at {timezone.now():%H:%M} UTC",
        "origin": restore.event
        if restore
        else readable_event(str(form["refers_to"].value() or ""), request),
    }
    if request.htmx and "update_fields" in request.POST:
        kind = form.chosen
        context["announce"] = (
            f"{labels.CHOICE_LABELS[kind]} settings"
            if kind in labels.CHOICE_LABELS
            else "no settings"
        )
        return render(request, "flows/_integration_fields.html", context)
    return render(request, "flows/form.html", context, status=status)


def _heading_flow(request: Request, sid: str, form: FlowForm) -> Flow | None:
    """The flow that the page's heading names: as the form began with it, which is what the page says it
    shows."""
    if not sid:
        return None
    return (
        mirror.flow_from_snapshot(form.snapshot, request.account_sid)
        if form.snapshot
        else Flow(sid=sid)
    )


def _render_review(request: Request, sid: str, form: FlowForm) -> HttpResponse:
    """What saving would change, old and new side by side, before anything is sent."""
    base, asked = form.snapshot or {}, form.values
    names = flex_flow.differing_fields(base, asked, asked)
    if sid and not names:
        messages.info(request, "No changes to save.")
        return _render_form(request, sid, form)
    rows = [
        {
            "label": labels.field_label(name),
            "now": labels.display_value(
                name, redact_field(name, replace_unstorable(base.get(name)))
            ),
            "new": labels.display_value(name, redact_field(name, replace_unstorable(asked[name]))),
        }
        for name in names
    ]
    context = {
        "form": form,
        "flow": _heading_flow(request, sid, form),
        "rows": rows,
        "warnings": [
            *flow_warnings.find_warnings({**base, **asked}),
            *_collision_warnings(request.account_sid, sid, {**base, **asked}),
        ],
        "origin": readable_event(str(form["refers_to"].value() or ""), request),
    }
    return render(request, "flows/review.html", context)


def _colliding_flows(account_sid: str, channel: str, identity: str, *, but: str) -> QuerySet[Flow]:
    """The other flows that are on for the same channel and identity, however that is spelled, of which one can be."""
    normal = normalize_identity(identity)
    enabled = Flow.objects.filter(
        account_sid=account_sid, channel_type=channel, enabled=True, gone_at=None
    )
    identities = (
        enabled.exclude(contact_identity="").exclude(sid=but).values_list("sid", "contact_identity")
    )
    return enabled.filter(
        sid__in=[sid for sid, own in identities if normalize_identity(own) == normal]
    )


def _collision_warnings(account_sid: str, sid: str, flow: Mapping[str, Any]) -> list[str]:
    identity, channel = (
        str(replace_unstorable(flow.get(name) or ""))
        for name in ("contact_identity", "channel_type")
    )
    if flex_flow.normalize_value("enabled", flow.get("enabled")) is not True or not identity:
        return []
    others = _colliding_flows(account_sid, channel, identity, but=sid)
    return [
        f"“{other}” is already on for the same channel and contact identity. Twilio may refuse this change."
        for other in others[:MAX_COLLISIONS]
    ]


def _render_switch(
    request: Request,
    flow: Flow,
    form: EnabledForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
    **_: Any,
) -> HttpResponse:
    flow = Flow.objects.filter(sid=flow.sid).first() or flow
    target = str(form["enabled"].value()) == "true"
    in_the_way = _colliding_flows(
        flow.account_sid, flow.channel_type, flow.contact_identity, but=flow.sid
    )
    context = {
        "flow": flow,
        "target": target,
        "form": form,
        "problem": problem,
        "collisions": list(in_the_way[:MAX_COLLISIONS]) if target and flow.contact_identity else [],
        "in_dialog": bool(request.htmx),
    }
    if request.htmx:
        form.auto_id = "switch_%s"  # the page below may have a reason of its own
    name = "flows/_switch.html" if request.htmx else "flows/enabled.html"
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _render_delete(
    request: Request,
    flow: Flow,
    form: DeleteForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
    **_: Any,
) -> HttpResponse:
    """After a conflict the flow is another than was confirmed: the form then asks anew, and keeps the reason."""
    flow = Flow.objects.filter(sid=flow.sid).first() or flow
    form.expected = flow.friendly_name or flow.sid
    if status == 409 and problem and problem.is_conflict:
        form = form.reset_confirmation(
            expected=form.expected, shown=displayed_values(flow.resource, CONFIRMED_FIELDS)
        )
    return render(
        request,
        "flows/delete.html",
        {"flow": flow, "form": form, "problem": problem},
        status=status,
    )
