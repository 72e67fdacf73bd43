"""A witness of random histories: it judges each change that is sent, by rules of its own."""

from collections import Counter
from datetime import timedelta

from django.utils import timezone

from flows.approvals import guard
from flows.approvals.approvers import is_approver
from flows.approvals.change_kinds import ChangeKind
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.terms import load_terms
from flows.audit.models import AuditEvent, Stage
from flows.plans.models import PlannedChange
from tests import ACCOUNT

APPROVAL_DAYS = 14


def content_of(request):
    """Return what a request would send: the values by the object's SID, and the reason."""
    if request.plan is None:
        return {request.target_sid: request.requested}, request.reason
    rows = PlannedChange.objects.filter(plan=request.plan).exclude(content_hash="")
    return {row.target_sid: row.requested for row in rows}, request.reason


class Witness:
    """Judges each attempt in the moment in which it is recorded.

    It remembers what each user saw when they approved, instead of asking the database.
    """

    def __init__(self, monkeypatch):
        self.violations = []
        self.sent = Counter()
        self.approved = {}
        check = guard.PolicyGuard.check

        def watched(policy_guard, change):
            check(policy_guard, change)
            self.judge(change)

        monkeypatch.setattr(guard.PolicyGuard, "check", watched)

    def begin(self):
        self.violations, self.approved = [], {}

    def remember(self, request, user):
        self.approved[request.pk, str(user.pk)] = content_of(request)

    def judge(self, change):
        terms = load_terms(ACCOUNT)
        row = PlannedChange.objects.filter(change_id=change.change_id).first()
        kind = "single" if row is None else "bulk"
        needed = self.count_needed(change, row, terms)
        if not needed:
            self.sent[f"{kind} free"] += 1
            return
        request = self.find_request(change, row)
        if request is None:
            self.violations.append("sent without a request")
        elif request.status != RequestStatus.IN_PROGRESS:
            self.violations.append(f"sent for a request that is {request.status}")
        elif request.is_without_approval:
            self.sent[f"{kind} bypassed"] += 1
        elif len(self.approvers(request, change, terms)) < needed:
            approvals = len(self.approvers(request, change, terms))
            self.violations.append(f"{approvals} of {needed} approvals of {change.requested}")
        else:
            self.sent[f"{kind} approved"] += 1

    def count_needed(self, change, row, terms):
        kinds = {ChangeKind.ANY}
        if "enabled" in (change.requested or {}):
            kinds.add(ChangeKind.SWITCH)
        limit = terms.bulk_limit
        is_large = limit is not None and row is not None and self.count_flows(row.plan) > limit
        return terms.approvals_required if is_large or kinds & set(terms.kinds) else 0

    def count_flows(self, plan):
        """Return the number of flows of a plan, without those skipped before it was started.

        A row that was added to a requested plan doesn't count: it is never sent.
        """
        rows = [row for row in plan.changes.all() if not row.skip_reason or row.done_at]
        requested = [row for row in rows if row.content_hash]
        return len(requested or rows)

    def find_request(self, change, row):
        if row is not None:
            return ChangeRequest.objects.filter(plan=row.plan_id).first()
        return ChangeRequest.objects.filter(change_id=change.change_id).first()

    def approvers(self, request, change, terms):
        """Return the users who saw exactly this change when they approved, and who still count."""
        oldest = timezone.now() - timedelta(days=APPROVAL_DAYS)
        users = set()
        for approval in request.approvals.filter(voided_at=None, approved_at__gte=oldest):
            values, reason = self.approved.get((request.pk, approval.user_id), ({}, ""))
            if (
                values.get(change.sid) == change.requested
                and reason == change.reason
                and approval.user_id != request.requester_id
                and is_approver(approval.user_id, ACCOUNT, terms)
            ):
                users.add(approval.user_id)
        return users


def find_status_faults():
    """Return the requests whose status is not the one that their last event recorded."""
    faults = []
    for request in ChangeRequest.objects.all():
        events = AuditEvent.objects.filter(request_id=request.pk, stage=Stage.ACCESS)
        events = events.filter(action__startswith="request.").exclude(result="denied")
        last = events.select_related("payload").order_by("seq").last()
        recorded = last.payload.requested.get("Status", "In review or approved")
        if recorded not in (request.get_status_display(), "In review or approved"):
            faults.append(f"{request.status}, but the log has {recorded}")
        if last.action in ("request.submit", "request.revise") and request.status not in (
            RequestStatus.IN_REVIEW,
            RequestStatus.APPROVED,
        ):
            faults.append(f"{request.status} after {last.action}")
    return faults
