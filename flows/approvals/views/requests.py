"""The pages of change requests: the inbox, one request, and its steps."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.accounts.twilio_accounts import Scope
from flows.approvals import applying, bulk_reading, reading, requests
from flows.approvals.actions import RequestAction
from flows.approvals.approvers import is_alone
from flows.approvals.contents import is_intact
from flows.approvals.forms import BypassForm, CommentForm, RevisionForm, StepForm
from flows.approvals.models import ChangeRequest
from flows.approvals.reading import LISTING_LABELS, STATUS_SHAPES, Listing
from flows.approvals.request_status import OPEN, WAITING, RequestStatus
from flows.approvals.terms import load_terms
from flows.approvals.transitions import TransitionNotAllowed
from flows.approvals.views.policies import NOT_RECORDED, SET_PERMISSION
from flows.approvals.views.request_context import (
    CHANGE_PERMISSION,
    build_approvals,
    offered_steps,
)
from flows.audit import audit_log
from flows.audit.access import Request, get_actor, record_denial, require_permission
from flows.changes.change_guard import SecretInRequest
from flows.changes.operations import NothingToChange
from flows.changes.problem import Problem
from flows.twilio.errors import FlexError

Step = Callable[[StepForm], Any]
_CHANGED: Final = Problem(
    title="The request was changed in the meantime",
    text="Nothing was changed. The page shows the request as it is now.",
    advice="Check it, then decide again.",
    level="warning",
    is_conflict=True,
)
_ALREADY_SET: Final = Problem(
    title="Twilio has these values already", text="The request was not changed."
)
_STARTED: Final = Problem(title="The request has started", text="The request was not changed.")


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def request_list(request: Request) -> HttpResponse:
    """List the change requests of all accounts that the user may see."""
    chosen = request.GET.get("show", "")
    listing = Listing(chosen) if chosen in list(Listing) else Listing.WAITING
    change_requests = reading.list_requests(request.user, request.scope, listing)
    accounts = twilio_accounts.marked_accounts(request.scope)
    rows = [
        {
            "request": each,
            "text": reading.describe(each),
            "shape": STATUS_SHAPES[RequestStatus(each.status)],
            "account": accounts.get(each.account_sid),
        }
        for each in change_requests[: reading.MAX_LISTED]
    ]
    context = {
        "rows": rows,
        "has_several_accounts": bool(accounts),
        "listing": listing,
        "listings": [(each, label) for each, label in LISTING_LABELS.items()],
        "is_shortened": len(rows) == reading.MAX_LISTED,
    }
    return render(request, "approvals/requests.html", context)


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def request_detail(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Show a change request, its differences, its approvals and its events."""
    return _render(request, request_id)


@require_POST
@require_permission(CHANGE_PERMISSION, action=RequestAction.APPROVE)
def request_approve(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Approve the content that the page showed."""

    def approve(form: StepForm) -> str:
        changed = requests.approve(
            request_id,
            content_hash=form.cleaned_data["content_hash"],
            actor=get_actor(request),
            comment=form.cleaned_data["comment"],
        )
        is_approved = changed.status == RequestStatus.APPROVED
        return "Approved. It can be applied now." if is_approved else "Your approval was recorded."

    return _take(request, request_id, StepForm(request.POST), approve, RequestAction.APPROVE)


@require_POST
@require_permission(CHANGE_PERMISSION, action=RequestAction.REJECT)
def request_reject(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Reject the request, with a reason."""

    def reject(form: StepForm) -> str:
        requests.reject(
            request_id,
            content_hash=form.cleaned_data["content_hash"],
            actor=get_actor(request),
            comment=form.cleaned_data["comment"],
        )
        return "Rejected. Nothing was sent."

    return _take(request, request_id, CommentForm(request.POST), reject, RequestAction.REJECT)


@require_POST
@require_permission(CHANGE_PERMISSION, action=RequestAction.COMMENT)
def request_comment(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Add a comment."""

    def comment(form: StepForm) -> str:
        requests.comment_on(
            request_id, actor=get_actor(request), comment=form.cleaned_data["comment"]
        )
        return "Comment added."

    return _take(request, request_id, CommentForm(request.POST), comment, RequestAction.COMMENT)


@require_POST
@require_permission(CHANGE_PERMISSION, action=RequestAction.CANCEL)
def request_cancel(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Cancel an own request, as an administrator any."""

    def cancel(form: StepForm) -> str:
        requests.cancel(
            request_id,
            actor=get_actor(request),
            comment=form.cleaned_data["comment"],
            is_administrator=has_permission(request.user, SET_PERMISSION, request.account_sid),
        )
        return "Cancelled. Nothing was sent."

    return _take(request, request_id, StepForm(request.POST), cancel, RequestAction.CANCEL)


@require_POST
@require_permission(CHANGE_PERMISSION, action=RequestAction.APPLY)
def request_apply(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Send the change of an approved request."""
    return _take(
        request,
        request_id,
        StepForm(request.POST),
        lambda form: _apply(request, request_id, form),
        RequestAction.APPLY,
    )


@require_POST
@require_permission(applying.BYPASS_PERMISSION, action=RequestAction.BREAK_GLASS)
def request_bypass(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Break glass: send the change of a request without approval."""
    form = BypassForm(request.POST)
    return _take(
        request,
        request_id,
        form,
        lambda form: _apply(request, request_id, form, form.cleaned_data["comment"]),
        RequestAction.BREAK_GLASS,
    )


def _apply(request: Request, request_id: uuid.UUID, form: StepForm, bypass_reason: str = "") -> str:
    """Apply the request and return the message about its end, or "" if it needs attention."""
    ended = applying.apply(
        request_id,
        content_hash=form.cleaned_data["content_hash"],
        user=request.user,
        actor=get_actor(request),
        bypass_reason=bypass_reason,
    )
    if ended.plan_id and ended.status == RequestStatus.IN_PROGRESS:
        return "Started. The page of the bulk change shows its progress."
    if ended.status == RequestStatus.DONE:
        return ended.note or "The change was made. Confirmed by Twilio."
    sentences = {
        RequestStatus.IN_PROGRESS: "Twilio's answer was lost. The outcome is not known yet.",
        RequestStatus.FAILED: "The change failed.",
        RequestStatus.SUSPENDED: "Nothing was sent.",
    }
    sentence = sentences.get(RequestStatus(ended.status), "Nothing was sent.")
    messages.error(request, f"{sentence} {ended.note}".strip())
    return ""


def _take(
    request: Request, request_id: uuid.UUID, form: StepForm, step: Step, action: RequestAction
) -> HttpResponse:
    """Take a step of a request and show the page again, with its error if there is one."""
    if not form.is_valid():
        return _render(request, request_id, form=form, action=action, status=422)
    try:
        message = step(form)
    except requests.ContentChanged:
        return _render(request, request_id, problem=_CHANGED, status=409)
    except TransitionNotAllowed:
        problem = Problem(
            title="This step is no longer possible",
            text="The request has another status now. Nothing was changed.",
            level="warning",
        )
        return _render(request, request_id, problem=problem, status=409)
    except requests.NotPermitted as refusal:
        record_denial(request, action, {"request_id": request_id})
        problem = Problem(title="This step is not permitted", text=str(refusal))
        return _render(request, request_id, problem=problem, status=403)
    except audit_log.NotRecorded:
        return _render(request, request_id, form=form, problem=NOT_RECORDED, status=503)
    if message:
        messages.success(request, message)
    return redirect("requests:detail", request_id=request_id)


@require_http_methods(["GET", "POST"])
@require_permission(CHANGE_PERMISSION, action=RequestAction.REVISE)
def request_edit(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Edit the values of an own request. All of its approvals are void then."""
    change_request = _find(request_id)
    if change_request.plan_id:
        messages.error(
            request, "A bulk change can't be edited. Cancel its request, then create it again."
        )
        return redirect("requests:detail", request_id=request_id)
    if change_request.status not in WAITING or change_request.requester_id != str(request.user.pk):
        messages.error(request, "Only the requester can edit a request, before it starts.")
        return redirect("requests:detail", request_id=request_id)
    if request.method == "GET":
        return _render_edit(request, change_request, RevisionForm(request=change_request))
    form = RevisionForm(request.POST, request=change_request)
    if not form.is_valid():
        return _render_edit(request, change_request, form, status=422)
    problem, status = _revise(request, request_id, form)
    if problem is not None:
        return _render_edit(request, change_request, form, problem=problem, status=status)
    messages.success(request, "Saved. The request needs approval again, if the policy asks for it.")
    return redirect("requests:detail", request_id=request_id)


def _revise(
    request: Request, request_id: uuid.UUID, form: RevisionForm
) -> tuple[Problem | None, int]:
    """Save new values, or return the problem that prevents it, and the status of its page."""
    try:
        requests.revise(
            request_id,
            content_hash=form.cleaned_data["content_hash"],
            values=form.values,
            reason=form.cleaned_data["reason"],
            actor=get_actor(request),
        )
    except requests.ContentChanged:
        return _CHANGED, 409
    except NothingToChange:
        return _ALREADY_SET, 409
    except TransitionNotAllowed:
        return _STARTED, 409
    except SecretInRequest as secret:
        text = f"Remove the new secret from {secret.labels}. The request was not changed."
        return Problem(title="A change request stores no secrets", text=text), 422
    except FlexError as error:
        return Problem(title="Couldn't read from Twilio", text=str(error)), 502
    except audit_log.NotRecorded:
        return NOT_RECORDED, 503
    return None, 200


def _render_edit(
    request: Request,
    change_request: ChangeRequest,
    form: RevisionForm,
    *,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"found": change_request, "form": form, "problem": problem}
    return render(request, "approvals/edit.html", context, status=status)


def _find(request_id: uuid.UUID) -> ChangeRequest:
    change_request = ChangeRequest.objects.filter(pk=request_id).first()
    if change_request is None:
        raise Http404("No such change request")
    return change_request


def _render(
    request: Request,
    request_id: uuid.UUID,
    *,
    form: StepForm | None = None,
    action: RequestAction | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    change_request = _find(request_id)
    is_bypass = action == RequestAction.BREAK_GLASS
    initial = {"content_hash": change_request.content_hash}
    step_form = form if form is not None and not is_bypass else StepForm(initial=initial)
    bypass_form = form if is_bypass else BypassForm(initial=initial, auto_id="bypass_%s")
    context = {
        "found": change_request,
        "text": reading.describe(change_request),
        "shape": STATUS_SHAPES[RequestStatus(change_request.status)],
        "is_open": change_request.status in OPEN,
        "account": twilio_accounts.marked_accounts(request.scope).get(change_request.account_sid),
        **_content_context(change_request, request.scope),
        "events": reading.load_timeline(change_request),
        "conflicts": reading.find_conflicts(change_request)
        if change_request.status in OPEN
        else [],
        "problem": problem,
        "form": form if form is not None else step_form,
        "step_form": step_form,
        "bypass_form": bypass_form,
        "is_told_to_no_one": is_alone(
            request.user, change_request.account_sid, load_terms(change_request.account_sid)
        ),
        **build_approvals(change_request),
        **offered_steps(request, change_request),
    }
    return render(request, "approvals/request.html", context, status=status)


def _content_context(change_request: ChangeRequest, scope: Scope) -> dict[str, Any]:
    """Return the values that are requested, or the rows of a bulk change, and what they would do."""
    if change_request.plan is not None:
        return bulk_reading.build_context(change_request, change_request.plan, scope)
    return {
        "is_erased": not is_intact(change_request),
        "rows": reading.build_rows(change_request),
        **reading.preview(change_request),
    }
