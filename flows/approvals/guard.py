"""The policies of accounts as the guard of all changes (`flows.changes.change_guard`)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils import timezone

from flows.approvals import bulk_contents, bulk_requests, requests
from flows.approvals.approvers import is_alone
from flows.approvals.change_kinds import ChangeKind, kinds_of
from flows.approvals.contents import is_exactly, is_intact
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import ENDED, OPEN, RequestStatus
from flows.approvals.terms import Terms, load_terms
from flows.approvals.validity import count_valid
from flows.audit.audit_log import Actor
from flows.availability.restrictions import OperationUnavailable, Restriction
from flows.changes.change_guard import (
    POLICY,
    AlreadyRequested,
    BulkDecision,
    BulkItem,
    ProposedChange,
    RequestRequired,
)
from flows.migration import begun_steps
from flows.plans import access
from flows.plans.models import Plan, PlannedChange
from flows.plans.titles import format_count
from flows.twilio.flex.flex_flow import FLEX_FLOW


class PolicyGuard:
    """Implementation of the interface in flows/changes/change_guard.py."""

    def check(self, change: ProposedChange) -> None:
        """Raise `OperationUnavailable`, or its subclass `RequestRequired`, unless it may be sent."""
        if _is_of_stopped_request(change):
            raise _refusal("The change request is no longer in progress. Nothing was sent.")
        if ChangeRequest.objects.filter(form_id=change.change_id).exists():
            raise RequestRequired("This change is a change request already.", change)
        terms = load_terms(change.account_sid)
        if terms.is_empty or begun_steps.must_go_on(change):
            return
        if terms.requires_reason and not change.reason.strip():
            raise _refusal("The policy of this account requires a reason for each change.")
        row = bulk_contents.find_row(change.change_id)
        request = _find_started(change, row)
        required = _required_approvals(change, row, request, terms)
        if request is not None:
            _check_request(request, change, row, terms, required)
        elif required or not terms.is_open():
            raise RequestRequired(describe_refusal(terms, required), change)

    def requires_reason(self, account_sid: str) -> bool:
        return load_terms(account_sid).requires_reason

    def requires_approvals(self, account_sid: str) -> bool:
        return bool(load_terms(account_sid).kinds)

    def is_told_to_no_one(self, account_sid: str, user: Any) -> bool:
        return is_alone(user, account_sid, load_terms(account_sid))

    def judge_bulk(self, plan_id: uuid.UUID, changes: Iterable[BulkItem]) -> BulkDecision:
        """Return whether the changes of a bulk change can be sent now, or requested."""
        request = ChangeRequest.objects.filter(plan=plan_id).first()
        if request is not None:
            return _decision_of_request(request)
        account_sids = access.account_sids_of_plan(plan_id)
        terms_by_account = {sid: load_terms(sid) for sid in sorted(account_sids)}
        if all(terms.is_empty for terms in terms_by_account.values()):
            return BulkDecision()
        plan, items = Plan.objects.get(pk=plan_id), list(changes)
        for account_sid, terms in terms_by_account.items():
            of_account = [item for item in items if item.account_sid == account_sid]
            if not of_account:
                continue
            is_larger = bulk_contents.is_larger(plan, terms.bulk_limit)
            required = _required_for_items(of_account, terms, is_larger=is_larger)
            if required or not terms.is_open():
                refusal = describe_refusal(terms, required)
                if len(account_sids) > 1:
                    refusal += f" {bulk_requests.ONE_ACCOUNT}"
                return BulkDecision(refusal=refusal, can_request=len(account_sids) == 1)
        return BulkDecision()

    def check_bulk_start(self, plan_id: uuid.UUID) -> None:
        """Raise `OperationUnavailable` for a bulk change that only its change request starts."""
        request = ChangeRequest.objects.filter(plan=plan_id).first()
        if request is not None:
            raise _refusal(_decision_of_request(request).refusal)

    def submit_bulk(self, plan_id: uuid.UUID, *, reason: str, actor: Actor) -> str:
        """Store the change request of a bulk change and return the address of its page."""
        return _url(bulk_requests.submit(plan_id, reason=reason, actor=actor))

    def series_refusal(self, account_sid: str, flows: int) -> str:
        """Return why a series of different changes, such as a migration, can't begin, or ""."""
        terms = load_terms(account_sid)
        if terms.bulk_limit is not None and flows > terms.bulk_limit:
            limit = format_count(terms.bulk_limit)
            return (
                f"The policy of this account requires approval for more than {limit} at once, which a "
                "migration can't have."
            )
        if terms.kinds:
            return "The policy of this account requires approval, which a migration can't have."
        return "" if terms.is_open() else describe_refusal(terms, 0)

    def submit(self, change: ProposedChange) -> str:
        """Store a change request and return the address of its page."""
        try:
            return _url(requests.submit(change))
        except requests.FormReused as earlier:
            raise AlreadyRequested(_url(earlier.request) if earlier.is_own else "") from None


def _url(request: ChangeRequest) -> str:
    return reverse("requests:detail", kwargs={"request_id": request.pk})


def _decision_of_request(request: ChangeRequest) -> BulkDecision:
    """Return the decision about a bulk change that has a request: only that starts it, and once."""
    label = RequestStatus(request.status).label.lower()
    refusal = f"It starts from its change request, which is {label}."
    if request.status in ENDED:
        refusal = f"Its change request has ended ({label}). Create the bulk change again."
    return BulkDecision(
        refusal=refusal, request_url=_url(request), is_request_open=request.status in OPEN
    )


def _required_for_items(items: Iterable[BulkItem], terms: Terms, *, is_larger: bool) -> int:
    """Return the number of approvals that a bulk change needs for its items of one account."""
    if is_larger:
        return terms.approvals_required
    kinds: set[ChangeKind] = set()
    for item in items:
        before = None if item.operation == "create" else item.before
        kinds |= kinds_of(FLEX_FLOW, item.operation, before, item.requested)
    return terms.required_for(kinds)


def _required_approvals(
    change: ProposedChange, row: PlannedChange | None, request: ChangeRequest | None, terms: Terms
) -> int:
    """Return the number of approvals that a change needs, alone or as one of a bulk change."""
    kinds = kinds_of(change.resource, change.operation, change.before, change.requested)
    if request is not None:
        return terms.required_for(kinds, bulk_contents.bulk_size(request))
    if row is not None and bulk_contents.is_larger(row.plan, terms.bulk_limit):
        return terms.approvals_required
    return terms.required_for(kinds)


def _find_started(change: ProposedChange, row: PlannedChange | None) -> ChangeRequest | None:
    """Return the request in progress that a change belongs to, alone or with its bulk change."""
    started = ChangeRequest.objects.filter(status=RequestStatus.IN_PROGRESS)
    if row is not None:
        return started.filter(plan=row.plan_id).first()
    return started.filter(change_id=change.change_id).first()


def describe_refusal(terms: Terms, required: int) -> str:
    """Return why a change isn't sent at once."""
    if required:
        return f"The policy of this account requires {terms.approval_phrase} for this change."
    return f"The policy of this account has changes sent {terms.hours} only."


def _is_of_stopped_request(change: ProposedChange) -> bool:
    """Return True if a change request was put back or ended while its change was on its way.

    The process may have been paused for so long that its start counts as interrupted.
    """
    try:
        request_id = uuid.UUID(change.actor.request_id or "")
    except ValueError:
        return False
    rows = ChangeRequest.objects.filter(pk=request_id).values_list("status", "change_id")
    state = rows.first()
    return state is not None and state != (RequestStatus.IN_PROGRESS, change.change_id)


def _check_request(
    request: ChangeRequest,
    change: ProposedChange,
    row: PlannedChange | None,
    terms: Terms,
    required: int,
) -> None:
    """Raise `OperationUnavailable` unless the request in progress lets exactly this change through."""
    if row is None:
        is_approved_content = is_exactly(request, change)
    else:
        is_approved_content = bulk_contents.is_row_exactly(request, row, change)
    if not is_intact(request) or not is_approved_content:
        raise _refusal("The change is not the one that was approved.")
    if request.is_without_approval:
        return
    if not terms.is_open():
        raise _refusal(describe_refusal(terms, 0))
    if count_valid(request, terms, timezone.now()) < required:
        raise _refusal("The change request has too few valid approvals.")


def _refusal(sentence: str) -> OperationUnavailable:
    return OperationUnavailable(Restriction(POLICY, sentence))
