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
from flows.audit.access import Request, permitted, readable_event
from flows.changes import flow_changes
from flows.changes.forms.conflict import Conflict
from flows.changes.forms.reason import SHOWN, DeleteForm, SwitchForm
from flows.checks import flow_warnings
from flows.core.identities import normal_identity
from flows.core.opened_forms import carried, carried_reason, is_opening
from flows.flex_flows.forms import FlowForm, picked, read_base, resolved, signed
from flows.flex_flows.views import responses
from flows.flex_flows.views.clone import Clone, account_for, choice_page, cloned
from flows.flex_flows.views.conflicts import rows_of, seen_of
from flows.flex_flows.views.page_source import read_once
from flows.flex_flows.views.responses import Page
from flows.flex_flows.views.restore import Restore
from flows.mirror import failure_messages, mirror
from flows.mirror.failure_messages import Problem
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.mirror.views.accounts import closed_page
from flows.redaction.masking import masked_field, storable
from flows.search import flow_search
from flows.twilio import labels
from flows.twilio.errors import FlexError
from flows.twilio.flex import flex_flow

MOST_IN_THE_WAY: Final = 5  # flows with the same identity that a page names


@require_http_methods(["GET", "POST"])
@permitted("flows.add_flow", action="flow.create")
def flow_new(request: Request) -> HttpResponse:
    account = account_for(request)
    if account is None:
        return choice_page(request)
    request.account_sid = account.sid
    if closed := closed_page(request, account.sid, "create", what="The new flow"):
        return closed
    page = partial(_form_page, request, "")
    if is_opening(request):
        restore = Restore.asked_for(request, live=None)
        if restore is None:
            clone = cloned(request, account)
            return page(FlowForm(initial={**clone.initial, **carried_reason(request)}), clone=clone)
        return page(FlowForm(initial=_begins(request, restore)), restore=restore)
    if not request.htmx and "clone" in request.GET:  # what stayed behind is still to be seen
        page = partial(page, clone=cloned(request, account))
    if "update_fields" in request.POST:
        return page(FlowForm(initial=request.POST.dict()))
    form = FlowForm(request.POST)
    if "edit_again" in request.POST:
        return page(form)
    if not form.is_valid():
        return page(form, status=422)
    if "review" in request.POST:
        return _review_page(request, "", form)
    return responses.answer(
        request,
        form,
        page,
        lambda common: flow_changes.create_flow(values=form.values, account_sid=account.sid, **common),
        what="The new flow",
    )


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action="flow.update")
def flow_edit(request: Request, sid: str) -> HttpResponse:
    if closed := closed_page(request, request.account_sid, "update", what="The change"):
        return closed
    page = partial(_form_page, request, sid)
    base = read_base(request.POST.get("base", ""), sid)
    if base is None:
        return _from_twilio(request, sid)
    if "update_fields" in request.POST:
        return page(FlowForm(base=base, initial=_typed_so_far(request, base, sid)))
    if unsettled := _with_choices_to_make(request, base, page):
        return unsettled
    form = FlowForm(_with_choices(request, base, sid), base=base)
    if "edit_again" in request.POST or "apply_choices" in request.POST:
        return page(form)
    if not form.is_valid():
        return page(form, status=422)
    if "review" in request.POST:
        return _review_page(request, sid, form)
    return responses.answer(
        request,
        form,
        page,
        lambda common: flow_changes.update_flow(
            sid=sid, base=base, values=form.values, account_sid=request.account_sid, **common
        ),
        what="The change",
        sid=sid,
    )


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action="flow.update")
def flow_enabled(request: Request, sid: str) -> HttpResponse:
    flow = _known(request, sid)
    if isinstance(flow, HttpResponse):
        return flow
    if flow.gone_at and _only_shows(request):
        return _gone(request, sid)
    if closed := closed_page(request, request.account_sid, "update", what="The switch"):
        return closed
    page = partial(_switch_page, request, flow)
    if _only_shows(request):
        target = "false" if flow.enabled else "true"
        initial = {"change_id": uuid.uuid4(), "enabled": target, "refers_to": _undone(request, sid)}
        return page(SwitchForm(initial={**initial, **request.POST.dict()}))
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return page(form, status=422)
    enabled = form.cleaned_data["enabled"]
    return responses.answer(
        request,
        form,
        page,
        lambda common: flow_changes.set_enabled(
            sid=sid, enabled=enabled, account_sid=request.account_sid, **common
        ),
        what="The switch",
        sid=sid,
    )


@require_http_methods(["GET", "POST"])
@permitted("flows.delete_flow", action="flow.delete")
def flow_delete(request: Request, sid: str) -> HttpResponse:
    flow = _known(request, sid)
    if isinstance(flow, HttpResponse):
        return flow
    if flow.gone_at and _only_shows(request):
        return _gone(request, sid)
    if closed := closed_page(request, request.account_sid, "delete", what="The deletion"):
        return closed
    page = partial(_delete_page, request, flow)
    expected = flow.friendly_name or flow.sid
    if _only_shows(request):
        initial = {"change_id": uuid.uuid4(), "refers_to": _undone(request, sid), **request.POST.dict()}
        shown = seen_of(flow.resource, SHOWN)
        return page(DeleteForm(expected=expected, sid=sid, shown=shown, initial=initial))
    form = DeleteForm(request.POST, expected=expected, sid=sid)
    if not form.is_valid():
        return page(form, status=422)
    seen = {"friendly_name": flow.value("friendly_name"), **(form.seen or {})}
    return responses.answer(
        request,
        form,
        page,
        lambda common: flow_changes.delete_flow(
            sid=sid, base=seen, account_sid=request.account_sid, **common
        ),
        what="The deletion",
        sid=sid,
    )


def _typed_so_far(request: Request, base: Mapping[str, Any], sid: str) -> dict[str, Any]:
    """The fields as they stand while the integration type is being chosen."""
    is_pending = Conflict.read(request.POST.get("conflict", ""), sid) is not None
    typed = request.POST if is_pending else picked(request.POST, dict(base))
    return {**typed.dict(), "integration_type": request.POST.get("integration_type", "")}


def _with_choices(request: Request, base: Mapping[str, Any], sid: str) -> QueryDict:
    """Return the form's data with the values that were chosen where two people changed the same field."""
    conflict = Conflict.read(request.POST.get("conflict", ""), sid)
    return resolved(request.POST, dict(base), conflict) if conflict else picked(request.POST, dict(base))


def _with_choices_to_make(request: Request, base: Mapping[str, Any], page: Page) -> HttpResponse | None:
    """The form once more while a field in conflict has no choice; None if there is nothing to choose."""
    form = FlowForm(request.POST, base=dict(base))
    if form.pending is None:
        return None
    if "edit_again" in request.POST:  # what was typed comes back as it was, with the choices made so far
        return page(form)
    return page(form, status=422) if form.ask_for_choices() else None


def _only_shows(request: Request) -> bool:
    """Whether a form is only asked for, empty or with what was typed into it before. Nothing is sent."""
    return is_opening(request) or "edit_again" in request.POST


def _known(request: Request, sid: str) -> Flow | HttpResponse:
    """The flow in the copy; one that is not there yet is read from Twilio. It may be held back from the copy,
    because an open creation may have made it. A response if it can't be read: that proves no absence."""
    flow = Flow.objects.filter(sid=sid).first()
    if flow is not None:
        return flow
    try:
        return mirror.flow_from(read_once(request, sid, deadline=READ_DEADLINE), request.account_sid)
    except FlexError as error:
        if mirror.is_gone(error):
            raise Http404("Twilio has no such Flex Flow") from error
        messages.error(request, f"The flow couldn't be read from Twilio: {error}. Nothing was sent.")
        return responses.go_to(request, "flows:detail", sid=sid)


def _gone(request: Request, sid: str) -> HttpResponse:
    messages.error(request, "Twilio has this flow no more. There is nothing left to change.")
    return responses.go_to(request, "flows:detail", sid=sid)


def _from_twilio(request: Request, sid: str) -> HttpResponse:
    """The edit form on the flow as it is at Twilio now. A form that came back without the flow as its sender
    saw it is shown again on that, with what was typed."""
    try:
        base = read_once(request, sid, deadline=FORM_DEADLINE)
    except FlexError as error:
        if mirror.is_gone(error):
            made_anew = Restore.asked_for(request, sid=sid, live=None)
            if made_anew and "begin" in request.POST:
                return cast(HttpResponse, flow_new(request))  # the reason goes along, and into no address
            again = f"{reverse('flows:new')}?{request.GET.urlencode()}"
            return redirect(again) if made_anew else _gone(request, sid)
        # The flow's page asks Twilio itself, and says why it can't be read.
        then = " Try again in a minute." if isinstance(error, StaleRead) else ""
        needs = "The edit form needs the flow as it is at Twilio now. Nothing was sent."
        messages.error(request, f"{needs}{then}")
        answer = redirect("flows:detail", sid=sid)
        return HttpResponse(status=204, headers={"HX-Redirect": answer.url}) if request.htmx else answer
    if is_opening(request):
        restore = Restore.asked_for(request, sid=sid, live=base)
        return _form_page(
            request, sid, FlowForm(base=base, initial=_begins(request, restore)), restore=restore
        )
    data = request.POST.copy()
    data["base"], data["change_id"] = signed(base), str(uuid.uuid4())
    return _form_page(
        request, sid, FlowForm(data, base=base), status=422, problem=failure_messages.base_lost()
    )


def _undone(request: Request, sid: str) -> uuid.UUID | None:
    """The event of this flow that this change undoes, from the address."""
    event = readable_event(carried(request, "undo"), request)
    return event.event_id if event and event.target_sid == sid else None


def _begins(request: Request, restore: Restore | None) -> dict[str, Any]:
    state = {**restore.initial, "refers_to": restore.event.event_id} if restore else {}
    return {**state, **carried_reason(request)}


def _form_page(
    request: Request,
    sid: str,
    form: FlowForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
    restore: Restore | None = None,
    clone: Clone | None = None,
) -> HttpResponse:
    flow = _flow_of(request, sid, form)
    context: dict[str, Any] = {
        "form": form,
        "flow": flow,
        "problem": problem,
        "conflicts": rows_of(form),
        "restore": restore,
        "clone": clone,
        "offered": flow_search.of_siblings(request.account_sid),
        "read_note": "" if form.is_bound else f"Read from Twilio at {timezone.now():%H:%M} UTC",
        "origin": restore.event if restore else readable_event(str(form["refers_to"].value() or ""), request),
    }
    if request.htmx and "update_fields" in request.POST:
        kind = form.chosen
        context["announce"] = f"{labels.ENUMS[kind]} settings" if kind in labels.ENUMS else "no settings"
        return render(request, "flows/_integration_fields.html", context)
    return render(request, "flows/form.html", context, status=status)


def _flow_of(request: Request, sid: str, form: FlowForm) -> Flow | None:
    """The flow that the page's heading names: as the form began with it, which is what the page says it
    shows."""
    if not sid:
        return None
    return mirror.flow_from(form.snapshot, request.account_sid) if form.snapshot else Flow(sid=sid)


def _review_page(request: Request, sid: str, form: FlowForm) -> HttpResponse:
    """What saving would change, old and new side by side, before anything is sent."""
    base, asked = form.snapshot or {}, form.values
    names = flex_flow.differing(base, asked, asked)
    if sid and not names:
        messages.info(request, "Nothing to save: no field differs from what you opened.")
        return _form_page(request, sid, form)
    rows = [
        {
            "label": labels.label(name),
            "now": labels.shown(name, masked_field(name, storable(base.get(name)))),
            "new": labels.shown(name, masked_field(name, storable(asked[name]))),
        }
        for name in names
    ]
    context = {
        "form": form,
        "flow": _flow_of(request, sid, form),
        "rows": rows,
        "warnings": [
            *flow_warnings.warnings({**base, **asked}),
            *_collisions(request.account_sid, sid, {**base, **asked}),
        ],
        "origin": readable_event(str(form["refers_to"].value() or ""), request),
    }
    return render(request, "flows/review.html", context)


def _enabled_like(account_sid: str, channel: str, identity: str, *, but: str) -> QuerySet[Flow]:
    """The other flows that are on for the same channel and identity, however that is spelled, of which one can be."""
    normal = normal_identity(identity)
    enabled = Flow.objects.filter(account_sid=account_sid, channel_type=channel, enabled=True, gone_at=None)
    identities = enabled.exclude(contact_identity="").exclude(sid=but).values_list("sid", "contact_identity")
    return enabled.filter(sid__in=[sid for sid, own in identities if normal_identity(own) == normal])


def _collisions(account_sid: str, sid: str, flow: Mapping[str, Any]) -> list[str]:
    identity, channel = (str(storable(flow.get(name) or "")) for name in ("contact_identity", "channel_type"))
    if flex_flow.normalised("enabled", flow.get("enabled")) is not True or not identity:
        return []
    others = _enabled_like(account_sid, channel, identity, but=sid)
    return [
        f"“{other}” is on for the same channel and identity. Only one can be: Twilio may refuse this."
        for other in others[:MOST_IN_THE_WAY]
    ]


def _switch_page(
    request: Request,
    flow: Flow,
    form: SwitchForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
    **_: Any,
) -> HttpResponse:
    flow = Flow.objects.filter(sid=flow.sid).first() or flow
    target = str(form["enabled"].value()) == "true"
    in_the_way = _enabled_like(flow.account_sid, flow.channel_type, flow.contact_identity, but=flow.sid)
    context = {
        "flow": flow,
        "target": target,
        "form": form,
        "problem": problem,
        "collisions": list(in_the_way[:MOST_IN_THE_WAY]) if target and flow.contact_identity else [],
        "in_dialog": bool(request.htmx),
    }
    if request.htmx:
        form.auto_id = "switch_%s"  # the page below may have a reason of its own
    name = "flows/_switch.html" if request.htmx else "flows/enabled.html"
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _delete_page(
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
        form = form.unconfirmed(expected=form.expected, shown=seen_of(flow.resource, SHOWN))
    return render(
        request, "flows/delete.html", {"flow": flow, "form": form, "problem": problem}, status=status
    )
