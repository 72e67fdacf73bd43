"""Random histories of changes, faults, kills, external edits, waiting times and decisions.

After each step the log is compared with what the sandbox knows (truth.py).

The histories leave out what no read can tell:

- Others set exactly the value of a lost update, or put back the one before it, or create a flow
  like that of a lost creation. It then looks like ours, applied or not.
- Others delete a flow that we are deleting, or whose deletion was lost, or that a lost creation
  of ours made.
- Twilio applies a request after a minute or more, or denies that an existing flow exists.

STATEFUL_EXAMPLES=2000 makes it a long random run. The short one is always the same.
"""

import copy
import os
import threading
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from flows.accounts import clients
from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenChange, OpenDrift
from flows.changes import flow_changes, in_flight, operations, reconcile
from flows.mirror import drift, flow_reads, mirror
from flows.mirror.models import Flow
from flows.mirror.sync import SyncBusy, sync_account
from flows.twilio.client import WRITE_OPERATIONS, ResourceClient
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.empty_database import empty_database
from tests.faults.acting import OMAR, STUDIO_FLOW_SID, release_until
from tests.faults.truth import ExternalChanges, applied_requests, find_differences, find_violations

LONG = int(os.environ.get("STATEFUL_EXAMPLES", "0"))
SOON = 0.15  # seconds until a call is given up that would never end
A_MINUTE = timedelta(seconds=60)
ENDLESS = {
    FaultKind.HANG, FaultKind.APPLY_THEN_HANG, FaultKind.LATE_APPLY, FaultKind.DRIP, FaultKind.DRIP_HEADERS,
    FaultKind.HUGE,
}  # fmt: skip
# What a service may say instead of doing it; anything else is a fault of ours.
SAID = (
    FlexError, flow_changes.Conflict, flow_changes.NothingToChange, flow_changes.FlowUnreadable, audit_log.AlreadyRecorded, in_flight.ConcurrentChange,
    SyncBusy, reconcile.NotAmbiguous,
)  # fmt: skip

HANDLING = [
    {"integration_type": "studio", "integration_flow_sid": STUDIO_FLOW_SID},
    {"integration_type": "external", "integration_url": "https://hooks.example.com/in?token=one"},
    {"integration_type": "external", "integration_url": "https://hooks.example.com/in?token=two"},
]
LISTS = {FaultKind.LEAVE_HOST, FaultKind.PAGE_LOOP}
LOST = [FaultKind.DROP, FaultKind.APPLY_THEN_DROP, FaultKind.LATE_APPLY]  # these above all


def fault(kinds, method):
    def made(kind, times, refusal):
        status, code = refusal if kind is FaultKind.REFUSE else (None, None)
        path = (
            "/FlexFlows/*" if kind is FaultKind.WRONG_SID else None
        )  # a creation's own SID nobody can check
        return Fault(
            kind, method=method, path=path, times=times, status=status, code=code, retry_after=0
        )

    refusals = [(400, 20001), (401, 20003), (403, 20005), (409, 20409), (410, None), (500, 20500)]
    return st.builds(
        made,
        st.sampled_from(kinds),
        st.sampled_from([1, 9]),
        st.sampled_from(refusals),
    )


GONE = 5
places = st.integers(0, GONE)
names = st.sampled_from(["A", "B", "C"])
some_fields = st.fixed_dictionaries(
    {},
    optional={
        "friendly_name": names,
        "contact_identity": st.sampled_from(["+1", "+2", ""]),
        "enabled": st.booleans(),
        "handling": st.sampled_from(HANDLING),
    },
)
nothing = st.none()
of_reads = nothing | nothing | fault(sorted(set(FaultKind) - {FaultKind.LATE_APPLY}), "GET")
of_writes = nothing | fault(LOST, "POST") | fault(sorted(set(FaultKind) - LISTS), "POST")
of_deletions = nothing | fault(LOST, "DELETE") | fault(sorted(set(FaultKind) - LISTS), "DELETE")
deaths = nothing | nothing | st.integers(0, 60)
again = st.sampled_from([False] * 7 + [True])
outside_acts = st.sampled_from(["name", "identity", "enabled", "delete", "make"])
meanwhiles = nothing | nothing | st.tuples(st.integers(0, 3), outside_acts)


def flat(some):
    return {
        **some.get("handling", {}),
        **{name: value for name, value in some.items() if name != "handling"},
    }


class Killed(BaseException):
    """The process is dead and must do nothing more."""


class Process:
    """Process that does one thing and dies before statement or call number `dies_at`.

    Code in an except or a finally after that does nothing either.
    """

    def __init__(self, world, change_id, dies_at, meanwhile):
        self.world, self.change_id, self.dies_at, self.meanwhile = (
            world,
            change_id,
            dies_at,
            meanwhile,
        )
        self.steps = self.calls = 0

    def step(self):
        if self.dies_at is not None and self.steps >= self.dies_at:
            raise Killed
        self.steps += 1

    def at_a_call(self, verb=""):
        """Stop before or after a call to Twilio.

        Pages of a list are read in a thread, whose connection ends here.
        """
        try:
            self._do_at_a_call(verb)
        finally:
            if threading.current_thread() is not threading.main_thread():
                connection.close()

    def _do_at_a_call(self, verb):
        if self.meanwhile and self.meanwhile[0] == self.calls:
            self.world.others(self.meanwhile[1], self.world.target)
        self.calls += 1
        self.step()
        if verb in WRITE_OPERATIONS and self.world.stages_of(self.change_id) != ["attempt"]:
            self.world.faults.append(
                f"{verb} was sent, on record was {self.world.stages_of(self.change_id)}"
            )


class World(RuleBasedStateMachine):
    """The site, Twilio and its other users.

    `sent` maps requests to the changes that sent them.
    """

    def __init__(self):
        super().__init__()
        self.is_whole = True  # nothing is found wrong yet
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.skew = timedelta()
        self.twilio, self.outside = Sandbox(clock=lambda: self.now + self.skew), ExternalChanges()
        self.faults, self.sent, self.answered = [], {}, set()
        self.process = self.fault = None
        self.sids, self.bases, self.last_id, self.target, self.count = [], {}, uuid.uuid4(), "", 0

    def stages_of(self, change_id):
        process, self.process = self.process, None
        try:
            return list(
                AuditEvent.objects.filter(change_id=change_id).values_list("stage", flat=True)
            )
        finally:
            self.process = process

    def perform(self, act, *, change_id=None, sid="", dies_at=None, fault=None, meanwhile=None):
        """Let one process do one thing, then check."""
        self.is_whole = False
        if fault:
            self.twilio.inject(fault)
        before, self.fault, self.target = len(self.twilio.requests), fault, sid
        self.process = Process(self, change_id, dies_at, meanwhile)
        try:
            act()
        except Killed:
            connection.close()
        except SAID:
            pass
        finally:
            self.process = self.fault = None
            self.twilio.clear_faults()
        self.sent.update(
            (request.n, change_id)
            for request in self.twilio.requests[before:]
            if request.method != "GET"
        )
        self.judge()

    def judge(self):
        self.is_whole = False
        for sid in reversed(self.twilio.flows):
            if sid not in self.sids:
                self.sids.append(sid)
        assert [*self.faults, *find_violations(self.twilio, self.sent, self.outside)] == []
        self.is_whole = True

    def sid_at(self, place):
        """Return the SID of a flow at Twilio, or sometimes of a deleted one."""
        flows = self.twilio.flows
        candidates = [sid for sid in self.sids if (sid in flows) == (place < GONE)]
        return candidates[place % len(candidates)] if candidates else ""

    def change_id(self, again):
        self.last_id = self.last_id if again else uuid.uuid4()
        return self.last_id

    @initialize(
        skew=st.integers(-4, 4),
        flows=st.integers(0, 3),
        is_synced=st.sampled_from([True, True, False]),
    )
    def begin(self, skew, flows, is_synced):
        self.skew = timedelta(minutes=skew)
        for _ in range(flows):
            self.others("make", "")
        if is_synced:
            sync_account(ACCOUNT)
        self.judge()

    @rule(
        name=names,
        more=some_fields,
        again=again,
        dies_at=deaths,
        fault=of_writes,
        meanwhile=meanwhiles,
    )
    def create(self, name, more, again, dies_at, fault, meanwhile):
        values = {"chat_service_sid": "IS" + "2" * 32, "channel_type": "sms"}
        values |= flat({"handling": HANDLING[0], **more, "friendly_name": name})
        change_id = self.change_id(again)
        self.perform(
            lambda: flow_changes.create_flow(account_sid=ACCOUNT, values=values, reason="", actor=OMAR, change_id=change_id),
            change_id=change_id, dies_at=dies_at, fault=fault, meanwhile=meanwhile,
        )  # fmt: skip

    @rule(place=places, dies_at=deaths, fault=of_reads, meanwhile=meanwhiles)
    def open_a_form(self, place, dies_at, fault, meanwhile):
        if sid := self.sid_at(place):
            self.perform(
                lambda: self.bases.update({sid: mirror.fetch(sid, account_sid=ACCOUNT)}),
                sid=sid, dies_at=dies_at, fault=fault, meanwhile=meanwhile,
            )  # fmt: skip

    @rule(
        place=places, some=some_fields, is_undo=st.booleans(), again=again, dies_at=deaths, fault=of_writes,
        meanwhile=meanwhiles,
    )  # fmt: skip
    def update(self, place, some, is_undo, again, dies_at, fault, meanwhile):
        if sid := self.sid_at(place):
            change_id = self.change_id(again)
            found = OpenDrift.objects.filter(target_sid=sid).first() if is_undo else None
            self.perform(
                lambda: flow_changes.update_flow(
                    sid=sid, account_sid=ACCOUNT, base=self.bases.get(sid), values=flat(some), reason="", actor=OMAR, change_id=change_id,
                    refers_to=found and found.event.event_id,
                ),
                change_id=change_id, sid=sid, dies_at=dies_at, fault=fault, meanwhile=meanwhile,
            )  # fmt: skip

    @rule(
        place=places,
        enabled=st.booleans(),
        again=again,
        dies_at=deaths,
        fault=of_writes,
        meanwhile=meanwhiles,
    )
    def switch(self, place, enabled, again, dies_at, fault, meanwhile):
        if sid := self.sid_at(place):
            change_id = self.change_id(again)
            self.perform(
                lambda: flow_changes.set_enabled(sid=sid, account_sid=ACCOUNT, enabled=enabled, reason="", actor=OMAR, change_id=change_id),
                change_id=change_id, sid=sid, dies_at=dies_at, fault=fault, meanwhile=meanwhile,
            )  # fmt: skip

    @rule(place=places, again=again, dies_at=deaths, fault=of_deletions, meanwhile=meanwhiles)
    def delete(self, place, again, dies_at, fault, meanwhile):
        row = Flow.objects.filter(sid=self.sid_at(place)).first()
        if row:
            meanwhile = None if meanwhile and meanwhile[1] == "delete" else meanwhile
            change_id, base = self.change_id(again), {"friendly_name": row.value("friendly_name")}
            self.perform(
                lambda: flow_changes.delete_flow(sid=row.sid, account_sid=ACCOUNT, base=base, reason="", actor=OMAR, change_id=change_id),
                change_id=change_id, sid=row.sid, dies_at=dies_at, fault=fault, meanwhile=meanwhile,
            )  # fmt: skip

    @rule(act=outside_acts, place=places)
    def others_act(self, act, place):
        self.others(act, self.sid_at(place))

    @rule(dies_at=deaths, fault=of_reads, meanwhile=meanwhiles, place=places)
    def sync(self, dies_at, fault, meanwhile, place):
        self.perform(
            partial(sync_account, ACCOUNT),
            sid=self.sid_at(place),
            dies_at=dies_at,
            fault=fault,
            meanwhile=meanwhile,
        )

    @rule(place=st.none() | places, dies_at=deaths, fault=of_reads, meanwhile=meanwhiles)
    def reconcile(self, place, dies_at, fault, meanwhile):
        """Reconcile one unresolved change, or all of them."""
        open_changes = list(OpenChange.objects.order_by("attempt"))
        one = (
            open_changes[place % len(open_changes)] if open_changes and place is not None else None
        )
        self.perform(
            lambda: reconcile.reconcile_one(one) if one else reconcile.reconcile(),
            sid=one.target_sid if one else "", dies_at=dies_at, fault=fault, meanwhile=meanwhile,
        )  # fmt: skip

    @rule(place=places, dies_at=deaths, fault=of_reads)
    def decide(self, place, dies_at, fault):
        """Resolve an ambiguous change, or an external change, by a user's decision."""
        puzzles = list(OpenChange.objects.exclude(ambiguity="").order_by("attempt"))
        if puzzles:
            self.decide_truly(puzzles[place % len(puzzles)], dies_at, fault)
        elif inbox := drift.load_inbox():
            event = inbox[place % len(inbox)][-1]
            self.perform(lambda: drift.accept(event=event, reason="", actor=OMAR), dies_at=dies_at)

    @rule(seconds=st.sampled_from([0, 1, 20, 61, 130, 1000]))
    def wait(self, seconds):
        """Let time pass. Twilio applies unanswered requests after a minute at most."""
        later = self.now + timedelta(seconds=seconds)
        if not seconds or any(
            later + self.skew - request.at >= A_MINUTE for request in self.held()
        ):
            self.release()
        self.now = later

    def release(self):
        held_ids = {request.n for request in self.held()}
        self.is_whole = False
        release_until(self.twilio, lambda: held_ids <= self.answered)
        self.judge()

    def held(self):
        return [
            request
            for request in self.twilio.requests
            if request.fault == FaultKind.LATE_APPLY and request.n not in self.answered
        ]

    def others(self, act, sid):
        """Edit flows at Twilio outside the site."""
        process, self.process = self.process, None
        try:
            self._others(act, sid)
        finally:
            self.process = process

    def _others(self, act, sid):
        self.count += 1
        if act == "make":
            new = self.twilio.add_flow(
                friendly_name=f"Theirs {self.count}", contact_identity=f"+49{self.count}"
            )
            self.outside.made.add(new)
            return
        if sid not in self.twilio.flows:
            return
        busy = list(OpenChange.objects.select_related("attempt__payload").filter(target_sid=sid))
        created = {
            change.change_id for change in OpenChange.objects.filter(action="flow.create")
        } & {
            change_id
            for change_id, requests in applied_requests(self.twilio, self._sent_so_far()).items()
            if any(request.sid == sid for request in requests)
        }
        if act == "delete":
            if not created and not any(change.action == "flow.delete" for change in busy):
                self.twilio.remove_flow(sid)
                self.outside.deleted.add(sid)
            return
        if act == "enabled" and any(
            "enabled" in (change.attempt.payload.requested or {}) for change in busy
        ):
            return
        name = {"name": "friendly_name", "identity": "contact_identity", "enabled": "enabled"}[act]
        value = {
            "friendly_name": f"Theirs {self.count}",
            "contact_identity": f"+49{self.count}",
            "enabled": not self.twilio.flows[sid]["enabled"],
        }[name]
        self.twilio.edit_flow(sid, **{name: value})
        self.outside.edits.add((sid, name, value))

    def _sent_so_far(self):
        return self.sent

    def decide_truly(self, change, dies_at=None, fault=None):
        """Resolve by what really happened, once no request is under way."""
        self.release()
        applied = applied_requests(self.twilio, self.sent).get(change.change_id, [])
        sid = applied[0].sid if applied and change.action == "flow.create" else ""
        if sid and sid not in change.candidates:
            return
        self.perform(
            lambda: reconcile.resolve_manually(change=change, applied=bool(applied), sid=sid, reason="", actor=OMAR),
            dies_at=dies_at, fault=fault,
        )  # fmt: skip

    def teardown(self):
        try:
            if self.is_whole:
                self.settle_everything()
        finally:
            self.twilio.stop()

    def settle_everything(self):
        """Let Twilio recover and time pass, and have a user resolve ambiguous changes."""
        self.release()
        for _ in range(3):
            self.wait(1000)
            self.perform(reconcile.reconcile)
            for change in OpenChange.objects.exclude(ambiguity=""):
                self.decide_truly(change)
        assert [str(change) for change in OpenChange.objects.all()] == []
        self.perform(partial(sync_account, ACCOUNT))
        assert find_differences(self.twilio) == []
        events = AuditEvent.objects.count()
        self.perform(partial(sync_account, ACCOUNT))
        assert AuditEvent.objects.count() == events


HOW_LONG = settings(
    max_examples=LONG or 12,
    stateful_step_count=40 if LONG else 25,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


class Stage:
    """Environment in which the worlds of a test run one after the other."""

    world = None

    def begin(self):
        empty_database()
        self.world = world = World()
        respond = world.twilio._api.respond

        def watched(request, received):
            try:
                return respond(request, received)
            finally:
                world.answered.add(received.n)

        world.twilio._api.respond = watched
        world.twilio.start()
        return world

    def now(self):
        return self.world.now

    def statement(self, execute, sql, params, many, context):
        if self.world and self.world.process:
            self.world.process.step()
        return execute(sql, params, many, context)

    def client(self, resource, account_sid, *, deadline=clients.WRITE_DEADLINE):
        fault = self.world.fault
        deadline = SOON if fault and fault.kind in ENDLESS else deadline
        client = copy.copy(clients.resource_client(resource, account_sid, deadline=deadline))
        client.base_url = self.world.twilio.url
        client._sleep = lambda seconds: None
        return client


@pytest.fixture
def stage(monkeypatch):
    playing, once = Stage(), ResourceClient._send_once

    def watched(client, verb, *args):
        process = playing.world.process
        if process:
            process.at_a_call(verb)
        try:
            return once(client, verb, *args)
        finally:
            if process:
                process.at_a_call()

    monkeypatch.setattr(ResourceClient, "_send_once", watched)
    monkeypatch.setattr(operations, "resource_client", playing.client)
    monkeypatch.setattr(flow_reads, "resource_client", playing.client)
    monkeypatch.setattr(timezone, "now", playing.now)
    with connection.execute_wrapper(playing.statement):
        yield playing


@pytest.mark.django_db(transaction=True)
def test_log_is_true_whatever_happens(stage):
    run_state_machine_as_test(stage.begin, settings=HOW_LONG)
