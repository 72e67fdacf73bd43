"""HTTP responses for the result of a change of a flow.

A change that was sent from the dialog over the list leaves the list open and shows a toast.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django_htmx.http import reswap, retarget

from flows.audit.access import Request, current_page_url
from flows.audit.models import AuditEvent
from flows.changes import operations
from flows.changes.forms.reason import EnabledForm, ReasonForm
from flows.changes.views.responses import ChangeResponder, FormRenderer, redirect_url
from flows.flex_flows import list_links
from flows.flex_flows.forms import FlowForm
from flows.flex_flows.views.conflicts import build_conflict_form
from flows.twilio.cleaning import to_text
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on


class FlowResponder(ChangeResponder):
    """The responses for the results of changes of flows."""

    def object_url(self, request: Request, sid: str) -> str:
        return list_links.with_list(request, reverse("flows:detail", kwargs={"sid": sid}))

    def list_url(self, request: Request) -> str:
        return list_links.list_url(request)

    def confirmed_response(
        self, request: Request, event: AuditEvent | None, sid: str
    ) -> HttpResponse:
        """Redirect to the flow's page, or show the messages in a toast over the list and reload it.

        No later page repeats the messages of a toast.
        """
        if not request.htmx or current_page_url(request).path != reverse("flows:list"):
            return super().confirmed_response(request, event, sid)
        context = {"event": event, "undo": _build_undo_form(event), "sid": sid}
        toast = render(request, "_toast.html", context)
        toast["HX-Trigger"] = "flows-changed"
        return retarget(reswap(toast, "afterbegin"), "#toasts")

    def conflict_response(
        self, form: ReasonForm, page: FormRenderer, conflict: operations.Conflict
    ) -> HttpResponse:
        """Return the form with a choice for each field in conflict, or else with their names."""
        if isinstance(form, FlowForm):
            return page(build_conflict_form(form, conflict), status=409)
        return super().conflict_response(form, page, conflict)

    def success_phrase(self, change: operations.Change) -> str:
        """Return the start of the success message, such as "Turned off"."""
        if change.event.changed_fields == ["enabled"]:
            return "Turned on" if is_on(change.after) else "Turned off"
        return super().success_phrase(change)


FLOW_RESPONDER: Final = FlowResponder(FLEX_FLOW)
submit_change: Final = FLOW_RESPONDER.submit
unavailable_response: Final = FLOW_RESPONDER.unavailable_response
restricted_response: Final = FLOW_RESPONDER.restricted_response


def redirect_page(request: Request, name: str, **arguments: Any) -> HttpResponse:
    """Redirect the whole page, even if htmx asked for a part of it."""
    url = reverse(name, kwargs=arguments)
    if name == "flows:detail":
        url = list_links.with_list(request, url)
    return redirect_url(request, url)


def redirect_deleted(request: Request, sid: str) -> HttpResponse:
    """Redirect to the page of a flow that is deleted, with the error."""
    messages.error(request, "This flow was deleted at Twilio. It can't be changed.")
    return redirect_page(request, "flows:detail", sid=sid)


def _build_undo_form(event: AuditEvent | None) -> EnabledForm | None:
    """Return the form that turns a flow back on or off, or None.

    An undo itself has none: a second press of the same button would revert it by accident.
    """
    if event is None or event.changed_fields != ["enabled"] or event.refers_to:
        return None
    initial = {
        "enabled": to_text(not is_on(event.payload.after or {})),
        "reason": f"Undo event {event.seq}",
        "change_id": uuid.uuid4(),
        "refers_to": event.event_id,
    }
    return EnabledForm(initial=initial, auto_id=False)
