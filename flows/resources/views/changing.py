"""The forms that create, edit, archive and delete objects of the Flex API, and their review."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from flows.accounts.clients import FORM_DEADLINE
from flows.audit.access import Request
from flows.audit.object_links import object_url
from flows.changes import operations, refusal_messages
from flows.changes.forms.reason import ReasonForm
from flows.changes.merge import FieldConflict
from flows.changes.problem import Problem
from flows.changes.views.responses import ChangeResponder, FormRenderer, redirect_url
from flows.core.opened_forms import is_opening
from flows.mirror import flow_reads, live
from flows.redaction.redacted import redact_snapshot
from flows.resources import consequences, displayed, links
from flows.resources.access import require_resource_permission
from flows.resources.forms import (
    ConfirmationForm,
    ResourceForm,
    merge_values,
    read_base,
)
from flows.resources.json_changes import changed_parts
from flows.resources.names import load_names
from flows.twilio.errors import FlexError
from flows.twilio.json_values import part_at
from flows.twilio.resource import Resource, Snapshot


class ResourceResponder(ChangeResponder):
    """The responses for the results of changes of a resource of the Flex API."""

    def object_url(self, request: Request, sid: str) -> str:
        return object_url(self.resource, sid, request.account_sid, parent_sid=request.parent_sid)

    def list_url(self, request: Request) -> str:
        return links.list_url(self.resource, request.account_sid, parent_sid=request.parent_sid)

    def conflict_response(
        self, form: ReasonForm, page: FormRenderer, conflict: operations.Conflict
    ) -> HttpResponse:
        """Return the form for the object as it is now, with the user's edits and what changed."""
        labels = self.join_labels(conflict.merged.their_fields)
        problem = refusal_messages.object_changed(labels, resource=self.resource)
        if not isinstance(form, ResourceForm):
            return page(form.reopen(), status=409, problem=problem)
        rebased = form.rebase(conflict.theirs)
        rebased.conflicts = [
            part for item in conflict.merged.conflicts for part in _conflicting_parts(item)
        ]
        return page(rebased, status=409)


@require_http_methods(["GET", "POST"])
@require_resource_permission("change", operation="create")
def resource_new(request: Request, resource: Resource) -> HttpResponse:
    """Create an object."""
    responder = ResourceResponder(resource)
    task = f"create the {resource.noun}"
    unavailable = responder.unavailable_response(request, request.account_sid, "create", task=task)
    if unavailable:
        return unavailable
    page = partial(_render_form, request, resource)
    if is_opening(request):
        names = [field.name for field in resource.fields_set_by("create")]
        carried = {name: request.GET[name] for name in names if name in request.GET}
        return page(ResourceForm(resource=resource, initial=carried))
    form = ResourceForm(request.POST, resource=resource)
    review = _review_page(request, resource, form, page)
    if review:
        return review
    return responder.submit(
        request,
        form,
        page,
        lambda common: operations.create(
            resource,
            values=form.values,
            account_sid=request.account_sid,
            parent_sid=request.parent_sid,
            **common,
        ),
        task=task,
    )


@require_http_methods(["GET", "POST"])
@require_resource_permission("change", operation="update")
def resource_edit(request: Request, resource: Resource, sid: str) -> HttpResponse:
    """Edit an object."""
    responder = ResourceResponder(resource)
    task = "save your changes"
    unavailable = responder.unavailable_response(request, request.account_sid, "update", task=task)
    if unavailable:
        return unavailable
    page = partial(_render_form, request, resource)
    base = read_base(resource, request.POST.get("base", ""), sid)
    if base is None:
        return _open_edit_form(request, responder, sid)
    form = ResourceForm(request.POST, resource=resource, base=base)
    review = _review_page(request, resource, form, page)
    if review:
        return review
    return responder.submit(
        request,
        form,
        page,
        lambda common: operations.update(
            resource,
            sid=sid,
            base=base,
            values=form.values,
            account_sid=request.account_sid,
            parent_sid=request.parent_sid,
            **common,
        ),
        task=task,
        sid=sid,
    )


@require_http_methods(["GET", "POST"])
@require_resource_permission("change", operation="archive")
def resource_archive(request: Request, resource: Resource, sid: str) -> HttpResponse:
    """Archive an object after its name has been entered."""
    return _change_confirmed(request, resource, sid, "archive", operations.archive)


@require_http_methods(["GET", "POST"])
@require_resource_permission("change", operation="delete")
def resource_delete(request: Request, resource: Resource, sid: str) -> HttpResponse:
    """Delete an object after its name, or the end of its SID, has been entered."""
    return _change_confirmed(request, resource, sid, "delete", operations.delete)


def _change_confirmed(
    request: Request,
    resource: Resource,
    sid: str,
    operation: str,
    send: Callable[..., operations.Change],
) -> HttpResponse:
    """Show the form that confirms a change which can't be undone, or make the change."""
    responder = ResourceResponder(resource)
    task = f"{operation} the {resource.noun}"
    unavailable = responder.unavailable_response(request, request.account_sid, operation, task=task)
    if unavailable:
        return unavailable
    page = partial(_render_confirmation, request, resource, sid, operation)
    base = read_base(resource, request.POST.get("base", ""), sid)
    if base is None:
        snapshot = _read_object(request, responder, sid, task)
        if isinstance(snapshot, HttpResponse):
            return snapshot
        return page(ConfirmationForm(resource=resource, snapshot=snapshot, sid=sid))
    form = ConfirmationForm(request.POST, resource=resource, snapshot=base, sid=sid)
    if not form.is_valid():
        return page(form, status=422)
    return responder.submit(
        request,
        form,
        page,
        lambda common: send(
            resource,
            sid=sid,
            base=base,
            account_sid=request.account_sid,
            parent_sid=request.parent_sid,
            **common,
        ),
        task=task,
        sid=sid,
    )


def _conflicting_parts(item: FieldConflict) -> list[tuple[str, Any, Any, Any]]:
    """Return the parts of an object that both changed, or the field itself, with three values."""
    merged = merge_values(item.base, item.theirs, item.mine)
    if merged is None or not merged.conflicts:
        return [(item.name, item.base, item.theirs, item.mine)]
    redacted = [redact_snapshot({item.name: one}) for one in (item.base, item.theirs, item.mine)]
    parts = []
    for path in merged.conflicts:
        base, theirs, mine = (part_at(one[item.name], path) for one in redacted)
        parts.append((f"{item.name}.{path}", base, theirs, mine))
    return parts


def _review_page(
    request: Request, resource: Resource, form: ResourceForm, page: FormRenderer
) -> HttpResponse | None:
    """Return the page before a change is sent, or None if the user sends it now."""
    if "edit_again" in request.POST:
        return page(form)
    if not form.is_valid():
        return page(form, status=422)
    if "review" not in request.POST:
        return None
    base, values = form.snapshot or Snapshot({}), form.values
    names = [*resource.differing_fields(base, values, values), *form.dropped_names]
    if form.snapshot is not None and not names:
        messages.info(request, "No changes to save.")
        return page(form)
    return _render_review(request, resource, form, names)


def _open_edit_form(request: Request, responder: ResourceResponder, sid: str) -> HttpResponse:
    """Return the edit form for the object as it is at Twilio now.

    A form that was sent without a valid `base` comes back with its input and an error.
    """
    resource = responder.resource
    snapshot = _read_object(request, responder, sid, "open the edit form")
    if isinstance(snapshot, HttpResponse):
        return snapshot
    page = partial(_render_form, request, resource)
    if is_opening(request):
        return page(ResourceForm(resource=resource, base=snapshot))
    form = ResourceForm(request.POST, resource=resource, base=snapshot).rebase_unsigned()
    return page(form, status=422, problem=refusal_messages.base_missing(resource))


def _read_object(
    request: Request, responder: ResourceResponder, sid: str, task: str
) -> Snapshot | HttpResponse:
    """Return the object as it is at Twilio, or a redirect to its page with the error."""
    resource = responder.resource
    try:
        return live.fetch(
            resource,
            sid,
            account_sid=request.account_sid,
            parent_sid=request.parent_sid,
            deadline=FORM_DEADLINE,
        )
    except FlexError as error:
        if flow_reads.is_not_found(error) and is_opening(request):
            raise Http404(f"Twilio has no such {resource.title}") from error
        messages.error(
            request,
            f"Couldn't {task}: the {resource.noun} couldn't be read from Twilio. Nothing was sent.",
        )
        return redirect_url(request, responder.object_url(request, sid))


def _render_form(
    request: Request,
    resource: Resource,
    form: ResourceForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
) -> HttpResponse:
    context = {
        **_heading(request, resource, form.snapshot),
        "form": form,
        "problem": problem,
        "conflicts": [
            {
                "label": _label(resource, name),
                "values": _displayed(request, resource, name, values),
            }
            for name, *values in form.conflicts
        ],
        "read_at": timezone.now(),
    }
    return render(request, "resources/form.html", context, status=status)


def _render_review(
    request: Request, resource: Resource, form: ResourceForm, names: list[str]
) -> HttpResponse:
    """Render what saving would send, with the current and the new values."""
    base = form.snapshot or Snapshot({})
    before, after = redact_snapshot(base), redact_snapshot(form.values)
    names_by_sid = load_names(resource, request.account_sid, [before, after])
    build_cell = partial(displayed.build_cell, resource, request.account_sid)
    rows = [
        {
            "label": part.label,
            "now": build_cell(part.name, part.before, names_by_sid),
            "new": build_cell(part.name, part.after, names_by_sid),
        }
        for name in names
        for part in changed_parts(resource, name, before.get(name), after.get(name))
    ]
    context = {
        **_heading(request, resource, form.snapshot),
        "form": form,
        "operation": "create" if form.snapshot is None else "update",
        "before": form.snapshot,
        "requested": {name: form.values.get(name) for name in names},
        "rows": rows,
        "warnings": consequences.find_warnings(
            resource, request.account_sid, base, {**base, **form.values}
        ),
    }
    return render(request, "resources/review.html", context)


def _render_confirmation(
    request: Request,
    resource: Resource,
    sid: str,
    operation: str,
    form: ConfirmationForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
) -> HttpResponse:
    """Render the page of a change that can't be undone.

    After a conflict, the user has to confirm the object as it is now.
    """
    if problem is not None and problem.is_conflict:
        snapshot = _read_object(
            request, ResourceResponder(resource), sid, f"{operation} the {resource.noun}"
        )
        if isinstance(snapshot, HttpResponse):
            return snapshot
        initial = {"reason": form.data.get("reason", "")}
        form = ConfirmationForm(resource=resource, snapshot=snapshot, sid=sid, initial=initial)
    redacted = form.snapshot or redact_snapshot({})
    context = {
        **_heading(request, resource, redacted),
        "cells": displayed.build_cells(resource, request.account_sid, redacted),
        "form": form,
        "problem": problem,
        "verb": operation.capitalize(),
        "operation": operation,
        "before": redacted,
        "requested": operations.ARCHIVED if operation == "archive" else None,
        "warnings": consequences.find_warnings(resource, request.account_sid, redacted, {}),
    }
    return render(request, "resources/delete.html", context, status=status)


def _heading(
    request: Request, resource: Resource, snapshot: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what the heading of a form names: the resource, and the object that is changed."""
    sid = str(snapshot["sid"]) if snapshot else ""
    responder = ResourceResponder(resource)
    label = resource.operation_labels.get("update")
    return {
        "resource": resource,
        "sid": sid,
        "name": resource.name_of(redact_snapshot(snapshot)) if snapshot else "",
        "object_url": responder.object_url(request, sid) if sid else "",
        "list_url": responder.list_url(request),
        "edit_label": label.button if label else f"Edit {resource.noun}",
    }


def _label(resource: Resource, name: str) -> str:
    """Return the label of a field, or of a part of one, such as "UI attributes: theme"."""
    field_name, _, path = name.partition(".")
    label = resource.label_of(field_name)
    return f"{label}: {path}" if path else label


def _displayed(
    request: Request, resource: Resource, name: str, values: list[Any]
) -> list[displayed.Cell]:
    """Return the values of a field in conflict: when the form was opened, now, and the user's."""
    redacted = [redact_snapshot({name: value}) for value in values]
    names_by_sid = load_names(resource, request.account_sid, redacted)
    return [
        displayed.build_cell(resource, request.account_sid, name, one[name], names_by_sid)
        for one in redacted
    ]
