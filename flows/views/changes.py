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

from flows import lint, search, words
from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.forms import Conflict, DeleteForm, FlowForm, SwitchForm, picked, read_base, resolved, signed
from flows.forms.reason import SHOWN
from flows.masking import masked_field, storable
from flows.models import Flow
from flows.services import changes, collisions, mirror
from flows.services.settling import StaleRead
from flows.services.twilio import FORM_DEADLINE, READ_DEADLINE
from flows.views import outcomes, problems
from flows.views.conflicts import rows_of, seen_of
from flows.views.outcomes import Page
from flows.views.placing import Clone, account_for, choice_page, cloned
from flows.views.problems import Problem
from flows.views.requests import Request, permitted
from flows.views.restore import Restore, carried, carried_reason, opens, referred
from flows.views.sources import read_once
from flows.views.standing import closed_page

MOST_IN_THE_WAY: Final = 5  # flows with the same identity that a page names


@require_http_methods(["GET", "POST"])
@permitted("flows.add_flow", action="flow.create")
def flow_new(request: Request) -> HttpResponse:
    account = account_for(request)
    if account is None:
        return choice_page(request)
    request.account_sid = account.sid
    if closed := closed_page(request, account.sid, "create", what="create the flow"):
        return closed
    page = partial(_form_page, request, "")
    if opens(request):
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
    return outcomes.answer(
        request,
        form,
        page,
        lambda common: changes.create_flow(values=form.values, account_sid=account.sid, **common),
        what="create the flow",
    )


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action="flow.update")
def flow_edit(request: Request, sid: str) -> HttpResponse:
    if closed := closed_page(request, request.account_sid, "update", what="change the flow"):
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
    return outcomes.answer(
        request,
        form,
        page,
        lambda common: changes.update_flow(
            sid=sid, base=base, values=form.values, account_sid=request.account_sid, **common
        ),
        what="save your changes",
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
    if closed := closed_page(request, request.account_sid, "update", what="change the flow"):
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
    return outcomes.answer(
        request,
        form,
        page,
        lambda common: changes.set_enabled(
            sid=sid, enabled=enabled, account_sid=request.account_sid, **common
        ),
        what=f"turn {'on' if enabled else 'off'} the flow",
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
    if closed := closed_page(request, request.account_sid, "delete", what="delete the flow"):
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
    return outcomes.answer(
        request,
        form,
        page,
        lambda common: changes.delete_flow(sid=sid, base=seen, account_sid=request.account_sid, **common),
        what="delete the flow",
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
    return opens(request) or "edit_again" in request.POST


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
        messages.error(request, f"Couldn't read the flow from Twilio: {error}. Nothing was sent.")
        return outcomes.go_to(request, "flows:detail", sid=sid)


def _gone(request: Request, sid: str) -> HttpResponse:
    messages.error(request, "This flow was deleted at Twilio. It can't be changed.")
    return outcomes.go_to(request, "flows:detail", sid=sid)


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
        needs = "Couldn't open the edit form: the flow's current settings couldn't be read. Nothing was sent."
        messages.error(request, f"{needs}{then}")
        answer = redirect("flows:detail", sid=sid)
        return HttpResponse(status=204, headers={"HX-Redirect": answer.url}) if request.htmx else answer
    if opens(request):
        restore = Restore.asked_for(request, sid=sid, live=base)
        return _form_page(
            request, sid, FlowForm(base=base, initial=_begins(request, restore)), restore=restore
        )
    data = request.POST.copy()
    data["base"], data["change_id"] = signed(base), str(uuid.uuid4())
    return _form_page(request, sid, FlowForm(data, base=base), status=422, problem=problems.base_lost())


def _undone(request: Request, sid: str) -> uuid.UUID | None:
    """The event of this flow that this change undoes, from the address."""
    event = referred(carried(request, "undo"), request)
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
        "offered": search.of_siblings(request.account_sid),
        "read_note": "" if form.is_bound else f"Read from Twilio at {timezone.now():%H:%M} UTC",
        "origin": restore.event if restore else referred(str(form["refers_to"].value() or ""), request),
    }
    if request.htmx and "update_fields" in request.POST:
        kind = form.chosen
        context["announce"] = f"{words.ENUMS[kind]} settings" if kind in words.ENUMS else "no settings"
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
    names = schema.differing(base, asked, asked)
    if sid and not names:
        messages.info(request, "No changes to save.")
        return _form_page(request, sid, form)
    rows = [
        {
            "label": words.label(name),
            "now": words.shown(name, masked_field(name, storable(base.get(name)))),
            "new": words.shown(name, masked_field(name, storable(asked[name]))),
        }
        for name in names
    ]
    context = {
        "form": form,
        "flow": _flow_of(request, sid, form),
        "rows": rows,
        "warnings": [
            *lint.warnings({**base, **asked}),
            *_collisions(request.account_sid, sid, {**base, **asked}),
        ],
        "origin": referred(str(form["refers_to"].value() or ""), request),
    }
    return render(request, "flows/review.html", context)


def _enabled_like(account_sid: str, channel: str, identity: str, *, but: str) -> QuerySet[Flow]:
    """The other flows that are on for the same channel and identity, however that is spelled, of which one can be."""
    normal = collisions.normal_identity(identity)
    enabled = Flow.objects.filter(account_sid=account_sid, channel_type=channel, enabled=True, gone_at=None)
    identities = enabled.exclude(contact_identity="").exclude(sid=but).values_list("sid", "contact_identity")
    return enabled.filter(
        sid__in=[sid for sid, own in identities if collisions.normal_identity(own) == normal]
    )


def _collisions(account_sid: str, sid: str, flow: Mapping[str, Any]) -> list[str]:
    identity, channel = (str(storable(flow.get(name) or "")) for name in ("contact_identity", "channel_type"))
    if schema.normalised("enabled", flow.get("enabled")) is not True or not identity:
        return []
    others = _enabled_like(account_sid, channel, identity, but=sid)
    return [
        f"“{other}” is already on for the same channel and contact identity. Twilio may refuse this change."
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
