"""Random histories of users, edits, bulk changes, roles, policies, changes at Twilio and workers.

Whatever happens, no change under policy is sent without a valid approval of exactly that content,
each transition has its event, and the hash chain stays valid. Hypothesis cuts a history that breaks
a promise down to its shortest form. STATEFUL_EXAMPLES=200 makes a long random run.
"""

import contextlib
import os
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from flexadmin.users.services import set_active, set_roles
from flows.approvals import bulk_requests, guard, requests, validity
from flows.approvals.models import Approval, ChangeRequest
from flows.approvals.request_status import WAITING, RequestStatus
from flows.approvals.requests import ContentChanged, NotPermitted
from flows.approvals.terms import ApproverPermission, Terms
from flows.approvals.transitions import TransitionNotAllowed
from flows.audit.audit_log import AlreadyRecorded, ReservedId
from flows.audit.models import AuditEvent, OpenChange, Stage
from flows.audit.verification import verify
from flows.changes import flow_changes, in_flight, reconcile
from flows.changes.operations import NothingToChange
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import access, drafts, execution, follow_ups, start_and_stop
from flows.plans.models import Plan, PlannedChange
from flows.plans.status import ACTIVE_STATUSES, ENDED_STATUSES
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.empty_database import empty_database
from tests.flows.approvals import acting
from tests.flows.approvals.witness import Witness, find_status_faults

LONG = int(os.environ.get("STATEFUL_EXAMPLES", "0"))
HOW_LONG = settings(
    max_examples=LONG or 12,
    stateful_step_count=60 if LONG else 30,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
ROLES = ("operator", "operator", "operator", "admin", "admin")
# What a step may say instead of doing it.
REFUSALS = (
    TransitionNotAllowed,
    NotPermitted,
    ContentChanged,
    NothingToChange,
    FlexError,
    flow_changes.Conflict,
    flow_changes.FlowUnreadable,
    in_flight.ConcurrentChange,
    guard.OperationUnavailable,
)
POLICIES = (
    Terms(),
    Terms(kinds=("any",)),
    Terms(kinds=("switch",)),
    Terms(bulk_limit=1),
    Terms(kinds=("any",), approvals_required=2),
    Terms(kinds=("any",), approver_permission=ApproverPermission.SET_POLICY),
    Terms(kinds=("any",), requires_reason=True),
)
users = st.integers(0, len(ROLES) - 1)
places = st.integers(0, 3)
flows = st.integers(0, 2)
values = st.sampled_from(
    [{"friendly_name": "One"}, {"friendly_name": "Two"}, {"enabled": True}, {"enabled": False}]
)
DISTURBANCES = ("rewrite", "add row", "twilio", "policy", "roles", "time", "stop")
disturbances = st.sampled_from(("",) * 5 + DISTURBANCES)
id_sources = st.sampled_from(["request", "form", "row"])
faults = st.none() | st.sampled_from([FaultKind.APPLY_THEN_DROP, FaultKind.REFUSE])


class World(RuleBasedStateMachine):
    """The users and flows of a history, and its steps."""

    sandbox = person = witness = None  # set by the test

    def __init__(self):
        super().__init__()
        empty_database()
        User.objects.all().delete()
        for sid in list(self.sandbox.flows):
            self.sandbox.remove_flow(sid)
        self.earlier_writes = len(acting.writes(self.sandbox))
        self.witness.begin()
        self.users = [self.person(role, f"{role}{place}") for place, role in enumerate(ROLES)]
        self.keeper = self.person("admin", "keeper")  # the last administrator
        for number in range(3):
            self.sandbox.add_flow(friendly_name=f"Flow {number}", enabled=True)
        sync_account(ACCOUNT)
        self.sids = sorted(self.sandbox.flows)
        acting.set_policy(acting.ANY)

    @contextlib.contextmanager
    def step(self, fault=None):
        """Take a step that may be refused, with a fault of Twilio in its way."""
        if fault is not None:
            self.sandbox.inject(Fault(fault, method="POST", status=422, code=45008))
        with contextlib.suppress(*REFUSALS):
            yield
        self.sandbox.clear_faults()

    def request(self, place, *statuses):
        """Return one of the latest requests, if there is one of these statuses. Else end the step."""
        found = ChangeRequest.objects.order_by("-created_at")
        found = list(found.filter(status__in=statuses) if statuses else found)[:4]
        if not found:
            raise TransitionNotAllowed
        return found[place % len(found)]

    @rule(user=users, flow=flows, values=values)
    def ask(self, user, flow, values):
        base = Flow.objects.get(sid=self.sids[flow]).resource
        common = {"sid": self.sids[flow], "base": base, "values": values}
        with self.step(), contextlib.suppress(AssertionError):  # sent, under no policy of its kind
            acting.request_change(self.users[user], flow_changes.update_flow, **common)

    @rule(user=users, flow=flows, values=values, place=places, source=id_sources)
    def send_with_planned_id(self, user, flow, values, place, source):
        """Send a change with an id that a page shows, as a client can. It must not be sent."""
        acting.set_policy(Terms())
        base = Flow.objects.get(sid=self.sids[flow]).resource
        common = {"sid": self.sids[flow], "base": base, "values": values}
        with self.step(), contextlib.suppress(ReservedId, AlreadyRecorded, requests.FormReused):
            request = self.request(place)
            row = PlannedChange.objects.filter(plan=request.plan_id).first()
            ids = {"form": request.form_id, "row": row.change_id if row else request.change_id}
            common["change_id"] = ids.get(source, request.change_id)
            acting.request_change(self.users[user], flow_changes.update_flow, **common)

    @rule(user=users, kind=st.sampled_from(["enable", "disable"]), count=st.integers(1, 3))
    def ask_in_bulk(self, user, kind, count):
        plan = drafts.plan_bulk_action(
            action=drafts.BulkAction(kind), sids=self.sids[:count], created_by="x"
        )
        self.start_or_request(plan, self.users[user])

    @rule(user=users, is_rollback=st.booleans())
    def follow_up(self, user, is_rollback):
        plan = Plan.objects.filter(status__in=ENDED_STATUSES).order_by("-created_at").first()
        if plan is None:
            return
        draft = follow_ups.plan_rollback if is_rollback else follow_ups.plan_retry
        self.start_or_request(draft(plan=plan, created_by="x"), self.users[user])

    def start_or_request(self, plan, user):
        if not plan.remaining_changes.exists():
            return
        actor = acting.actor_of(user)
        with self.step():
            if access.judge(plan).can_request:
                bulk_requests.submit(plan.pk, reason="A reason", actor=actor)
            else:
                start_and_stop.start(plan=plan, reason="A reason", actor=actor)

    @rule(user=users, place=places)
    def approve(self, user, place):
        with self.step():
            self.approve_as(self.request(place), self.users[user])

    @rule(place=places)
    def approve_as_all(self, place):
        with self.step():
            self.approve_by_all(self.request(place, RequestStatus.IN_REVIEW))

    def approve_by_all(self, request):
        for user in self.users:
            with contextlib.suppress(*REFUSALS):
                self.approve_as(request, user)

    def approve_as(self, request, user):
        acting.approve(request, user)
        self.witness.remember(acting.current(request), user)

    @rule(place=places, first=disturbances, second=disturbances)
    def carry_out(self, place, first, second):
        """Approve, apply and send a request, with something else in between."""
        self.carry_out_one(place, first, second)

    @rule(flow=flows, values=values, first=disturbances, second=disturbances)
    def ask_and_carry_out(self, flow, values, first, second):
        self.start_over()
        self.ask(0, flow, values)
        self.carry_out_one(0, first, second)

    @rule(kind=st.sampled_from(["enable", "disable"]), first=disturbances, second=disturbances)
    def ask_in_bulk_and_carry_out(self, kind, first, second):
        self.start_over()
        self.ask_in_bulk(0, kind, 3)
        self.carry_out_one(0, first, second)

    def start_over(self):
        """Give the users their first roles back, and the account its first policy."""
        for user, role in zip(self.users, ROLES, strict=True):
            User.objects.filter(pk=user.pk).update(is_active=True)
            user.groups.set([Group.objects.get(name=role)])
        acting.set_policy(acting.ANY)
        self.sync()

    def carry_out_one(self, place, first, second):
        with self.step():
            request = self.request(place, RequestStatus.IN_REVIEW, RequestStatus.APPROVED)
            self.approve_by_all(request)
            self.disturb(request, first)
            acting.apply(request, self.keeper)
            self.disturb(request, second)
            self.work(None)

    def disturb(self, request, name):
        disturb = {
            "rewrite": lambda: self.rewrite_content(request),
            "add row": lambda: self.add_row_to(request),
            "twilio": self.change_all_at_twilio,
            "policy": lambda: acting.set_policy(Terms(kinds=("any",), approvals_required=3)),
            "roles": self.take_all_roles,
            "time": lambda: self.let_time_pass(15),
            "stop": self.stop,
        }
        if name:
            disturb[name]()

    def change_all_at_twilio(self):
        for sid in self.sids:
            self.sandbox.edit_flow(sid, friendly_name="Console", enabled=False)

    def take_all_roles(self):
        for user in self.users:
            user.groups.set([Group.objects.get(name="viewer")])

    @rule(user=users, place=places, fault=faults)
    def apply(self, user, place, fault):
        with self.step(fault):
            acting.apply(self.request(place), self.users[user])

    @rule(place=places, fault=faults)
    def apply_approved(self, place, fault):
        with self.step(fault):
            acting.apply(self.request(place, RequestStatus.APPROVED), self.keeper)

    @rule(user=users, place=places)
    def break_glass(self, user, place):
        with self.step():
            acting.apply(self.request(place), self.users[user], bypass_reason="Outage")

    @rule(place=places, values=values)
    def edit(self, place, values):
        with self.step():
            request = self.request(place, *WAITING)
            requester = next(each for each in self.users if str(each.pk) == request.requester_id)
            acting.revise(request, requester, **values)

    @rule(user=users, place=places)
    def reject(self, user, place):
        with self.step():
            request, actor = self.request(place), acting.actor_of(self.users[user])
            requests.reject(
                request.pk, content_hash=request.content_hash, actor=actor, comment="No"
            )

    @rule(user=users, place=places)
    def cancel(self, user, place):
        with self.step():
            requests.cancel(self.request(place).pk, actor=acting.actor_of(self.users[user]))

    @rule(fault=faults)
    def work(self, fault):
        """A worker makes the changes of a plan."""
        plan = Plan.objects.filter(status__in=ACTIVE_STATUSES).first()
        if plan is not None:
            with self.step(fault):
                execution.run_once(plan)

    @rule()
    def stop(self):
        plan = Plan.objects.filter(status__in=ACTIVE_STATUSES).first()
        if plan is not None:
            start_and_stop.stop(plan=plan, actor=acting.actor_of(self.keeper))

    @rule()
    def resume(self):
        plan = Plan.objects.exclude(status__in=ACTIVE_STATUSES).order_by("-created_at").first()
        if plan is not None:
            with self.step():
                actor = acting.actor_of(self.keeper)
                start_and_stop.start(plan=plan, reason="A reason", actor=actor)

    @rule(terms=st.sampled_from(POLICIES), is_reviewed=st.booleans())
    def change_policy(self, terms, is_reviewed):
        acting.set_policy(terms)
        if is_reviewed:
            validity.review_requests(ChangeRequest.objects.all())

    @rule(user=users, role=st.sampled_from(["viewer", "operator", "admin"]), is_told=st.booleans())
    def change_role(self, user, role, is_told):
        person = self.users[user]
        if not is_told:  # in the database, which nothing reviews
            person.groups.set([Group.objects.get(name=role)])
            return
        actor = acting.actor_of(self.keeper)
        set_roles(person=person, role=role, on_accounts={}, actor=actor, reason="Moved")

    @rule(user=users)
    def change_active(self, user):
        person, actor = User.objects.get(pk=self.users[user].pk), acting.actor_of(self.keeper)
        set_active(person=person, is_active=not person.is_active, actor=actor, reason="Holidays")

    @rule(flow=flows, values=values)
    def change_at_twilio(self, flow, values):
        self.sandbox.edit_flow(self.sids[flow], **values)

    @rule()
    def sync(self):
        with self.step():
            for change in OpenChange.objects.all():
                reconcile.reconcile_one(change)
            sync_account(ACCOUNT)
            validity.on_account_updated(account_sid=ACCOUNT)

    @rule(days=st.sampled_from([3, 15]))
    def let_time_pass(self, days):
        for approval in Approval.objects.all():
            earlier = approval.approved_at - timedelta(days=days)
            Approval.objects.filter(pk=approval.pk).update(approved_at=earlier)

    @rule(place=places)
    def rewrite(self, place):
        """Change what was requested in the database, as no code of ours does."""
        with self.step():
            self.rewrite_content(self.request(place, *WAITING, RequestStatus.IN_PROGRESS))

    def rewrite_content(self, request):
        rewritten = {"friendly_name": "Rewritten"}
        if request.plan is None:
            ChangeRequest.objects.filter(pk=request.pk).update(requested=rewritten)
            return
        for row in PlannedChange.objects.filter(plan=request.plan):
            name = Flow.objects.get(sid=row.target_sid).friendly_name
            rows = PlannedChange.objects.filter(pk=row.pk)
            rows.update(before={"friendly_name": name}, requested=rewritten)

    @rule(place=places)
    def add_row(self, place):
        """Add a flow to a requested bulk change in the database, as no code of ours does."""
        with self.step():
            self.add_row_to(self.request(place, *WAITING, RequestStatus.IN_PROGRESS))

    def add_row_to(self, request):
        if request.plan is None:
            return
        flow = Flow.objects.get(sid=self.sids[2])
        PlannedChange.objects.create(
            plan=request.plan,
            change_id=uuid.uuid4(),
            position=request.plan.changes.count() + 10,
            action="flow.update",
            account_sid=ACCOUNT,
            target_sid=flow.sid,
            before={"friendly_name": flow.friendly_name},
            requested={"friendly_name": "Added"},
        )

    @invariant()
    def nothing_is_sent_without_approval(self):
        assert self.witness.violations == []

    def teardown(self):
        assert find_status_faults() == []
        result = verify()
        assert result.bad_seq is None
        # Roles that were changed in the database only are found, and nothing else.
        assert all("roles or status" in fault for fault in result.table_faults), result.table_faults
        # One call for each attempt. What another change blocks is judged and not attempted.
        attempts = AuditEvent.objects.filter(stage=Stage.ATTEMPT).count()
        assert len(acting.writes(self.sandbox)) - self.earlier_writes == attempts


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_without_approval_whatever_happens(sandbox, person, monkeypatch):
    witness = Witness(monkeypatch)
    monkeypatch.setattr(World, "sandbox", sandbox)
    monkeypatch.setattr(World, "person", staticmethod(person))
    monkeypatch.setattr(World, "witness", witness)
    run_state_machine_as_test(World, settings=HOW_LONG)
    # Else the rules would hold because nothing is ever sent.
    for kind in ("single approved", "bulk approved"):
        assert witness.sent[kind], witness.sent
