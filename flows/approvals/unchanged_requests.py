"""Requests that a review would leave as they are, found with few queries however many there are.

An account is reviewed after each change of one of its flows. Hundreds of scheduled requests may wait
then, and each review takes several queries. Requests with approvals always get their own review.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from flows.approvals.contents import changed_fields, request_kinds
from flows.approvals.models import Approval, ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.terms import Terms, load_terms
from flows.mirror.models import Flow
from flows.twilio.flex.flex_flow import FLEX_FLOW

# Between the moment that a flow's row names and the end of its transaction.
STORING_TIME: Final = timedelta(minutes=1)
_REVIEWED: Final = (RequestStatus.IN_REVIEW, RequestStatus.APPROVED)


def find_unchanged(requests: QuerySet[ChangeRequest], oldest: datetime) -> set[uuid.UUID]:
    """Return requests without an approval, submitted after `oldest`, that a review needn't look at.

    Their flow has the values that they were made for, and the policy asks for what it asked for.
    """
    approvals = Approval.objects.filter(request=OuterRef("pk"), voided_at=None)
    candidates = requests.filter(
        ~Exists(approvals),
        status__in=_REVIEWED,
        resource=FLEX_FLOW.name,
        submitted_at__gt=oldest,
    ).exclude(target_sid="")
    quiet = _find_quiet(candidates)
    return quiet | _find_same(candidates.exclude(pk__in=quiet))


def _find_quiet(candidates: QuerySet[ChangeRequest]) -> set[uuid.UUID]:
    """Return those that need no approval, and whose flow was not stored since they were submitted.

    They were reviewed when they were scheduled. The database compares the times.
    """
    account_sids = set(candidates.values_list("account_sid", flat=True).distinct())
    free_sids = [sid for sid in account_sids if not load_terms(sid).kinds]
    latest = OuterRef("submitted_at") - STORING_TIME
    flows = Flow.objects.filter(sid=OuterRef("target_sid"), mirrored_at__lt=latest)
    quiet = candidates.filter(
        Exists(flows), account_sid__in=free_sids, status=RequestStatus.APPROVED
    )
    return set(quiet.values_list("pk", flat=True))


def _find_same(candidates: QuerySet[ChangeRequest]) -> set[uuid.UUID]:
    """Return those whose flow has the values of their base, and whose status is still right."""
    flows = Flow.objects.filter(sid__in=candidates.values("target_sid"))
    copies: dict[str, Any] = dict(flows.values_list("sid", "resource"))
    terms: dict[str, Terms] = {}
    unchanged = set()
    for request in candidates:
        if request.account_sid not in terms:
            terms[request.account_sid] = load_terms(request.account_sid)
        is_as_it_was = not changed_fields(request, copies.get(request.target_sid))
        status = _status_without_approvals(request, terms[request.account_sid])
        if is_as_it_was and request.status == status:
            unchanged.add(request.pk)
    return unchanged


def _status_without_approvals(request: ChangeRequest, terms: Terms) -> RequestStatus:
    is_free = not terms.required_for(request_kinds(request))
    return RequestStatus.APPROVED if is_free else RequestStatus.IN_REVIEW
