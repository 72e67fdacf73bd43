"""The start and the run of the changes that a file asks for, as a bulk change.

It runs in the command's process, and a background worker takes part if one runs. Only one apply at a
time changes an account, so that no flow is created twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Q

from flows.audit.audit_log import Actor, LogTransaction
from flows.audit.models import AuditEvent
from flows.changes import change_guard
from flows.changes.change_guard import BulkDecision
from flows.desired_state.actions import DesiredStateAction
from flows.desired_state.matching import earlier_applies
from flows.desired_state.planning import Preparation, digest_changes
from flows.plans import access, execution, start_and_stop, titles
from flows.plans.actions import PlanAction
from flows.plans.drafts import build_draft, store_draft
from flows.plans.models import Plan, PlannedChange
from flows.plans.status import ACTIVE_STATUSES, PlanStatus
from flows.twilio.pickling import PicklableError

REPLACED: Final = "Replaced by a later apply."
POLL_SECONDS: Final = 0.5


class ApplyInProgress(PicklableError):
    """Another apply changes one of the accounts, or has changed it since the flows were compared."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("another apply is in progress")
        self.plan = plan


class ApprovalRequired(PicklableError):
    """A policy doesn't let the changes through. `url` is the change request, "" if there can be none."""

    def __init__(self, sentence: str, url: str) -> None:
        super().__init__(sentence, url)
        self.sentence = sentence
        self.url = url


class _Refused(Exception):
    """A policy doesn't let the changes be sent now. Its argument is the decision."""


def start_apply(
    *, preparation: Preparation, file_name: str, created_by: str, reason: str, actor: Actor
) -> Plan:
    """Store the changes as a bulk change and start it.

    What an earlier apply left in these accounts is skipped from now on. Raises `ApplyInProgress` or
    `NotRecorded`. In both cases nothing is stored or sent. Raises `ApprovalRequired` if a policy needs
    a change request, which is stored then, unless the same changes wait in one already.
    """
    title = titles.title_of_import(preparation.changes, f"Apply {file_name}")
    plan = build_draft(title, preparation.changes, created_by=created_by, reason=reason)
    try:
        start_and_stop.start(
            plan=plan,
            reason=reason,
            actor=actor,
            action=DesiredStateAction.APPLY,
            before_start=partial(_store, plan, preparation),
        )
    except _Refused as refused:
        decision: BulkDecision = refused.args[0]
        url = ""
        if decision.can_request:
            url = _find_request(preparation, plan.title) or _submit(
                plan, preparation, reason, actor
            )
        raise ApprovalRequired(decision.refusal, url) from None
    return plan


def judge_changes(preparation: Preparation) -> BulkDecision:
    """Return what the policies would decide about a start now. Nothing is stored."""
    plan = build_draft("", preparation.changes, created_by="", reason="")
    with transaction.atomic():
        store_draft(plan, preparation.changes)
        decision = access.judge(plan)
        transaction.set_rollback(True)
    return decision


def _find_request(preparation: Preparation, title: str) -> str:
    """Return the address of the open change request of the same changes, or ""."""
    requested = PlannedChange.objects.exclude(content_hash="")
    drafts = Plan.objects.filter(
        status=PlanStatus.DRAFT, title=title, pk__in=requested.values("plan")
    )
    for plan in drafts:
        decision = access.judge(plan)
        changes = plan.included_changes.order_by("position")
        if decision.is_request_open and digest_changes(changes) == preparation.digest:
            return decision.request_url
    return ""


def _submit(plan: Plan, preparation: Preparation, reason: str, actor: Actor) -> str:
    """Store the changes with their change request, and return its address."""
    store_draft(plan, preparation.changes)
    return change_guard.guard().submit_bulk(plan.pk, reason=reason, actor=actor)


def run_to_end(
    plan: Plan,
    *,
    before_each: Callable[[], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Make the changes of a started plan, together with a worker, until it has ended.

    `before_each` is called before each change here, and while a worker makes the changes.
    """
    while plan.status in ACTIVE_STATUSES:
        if not execution.run_once(plan, before_each):
            before_each()
            sleep(POLL_SECONDS)
        plan.refresh_from_db()


def _store(plan: Plan, preparation: Preparation, _log: LogTransaction) -> None:
    """Store the bulk change in the transaction that starts it, so that nobody can start it too."""
    _replace_earlier(preparation)
    store_draft(plan, preparation.changes)
    decision = access.judge(plan)
    if decision.refusal:
        raise _Refused(decision)


def _replace_earlier(preparation: Preparation) -> None:
    """Skip what earlier applies left. Raises `ApplyInProgress`. The log's lock is held."""
    start_and_stop.replace_ended(
        plans=earlier_applies(), account_sids=preparation.account_sids, reason=REPLACED
    )
    later_starts = AuditEvent.objects.filter(
        action__in=[DesiredStateAction.APPLY, PlanAction.START], seq__gt=preparation.read_seq
    )
    is_concurrent = Q(status__in=ACTIVE_STATUSES) | Q(pk__in=later_starts.values("request_id"))
    changes = PlannedChange.objects.filter(account_sid__in=preparation.account_sids)
    concurrent = earlier_applies().filter(is_concurrent, pk__in=changes.values("plan")).first()
    if concurrent is not None:
        raise ApplyInProgress(concurrent)
