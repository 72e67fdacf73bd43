"""Run of one cell of the matrix: a fault during one kind of change, several times.

Each run ends with a healthy API and a complete reconciliation. The sandbox's applied writes are
then compared with the log.
"""

from __future__ import annotations

import copy
import random
import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.db import connection
from django.test import override_settings

from flows.accounts import clients
from flows.audit import audit_log
from flows.audit.audit_log import NotRecorded
from flows.audit.models import OpenChange
from flows.availability import restrictions
from flows.changes import operations, reconcile
from flows.changes.flow_changes import FlowUnreadable, OutcomeNotRecorded
from flows.mirror import flow_reads
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.redaction.masking import redact
from flows.twilio.client import ResourceClient
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Resource
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.faults.acting import OMAR, release_until
from tests.faults.matrix import victim
from tests.faults.matrix.edits import FlowGenerator
from tests.faults.matrix.troubles import (
    CREATE,
    DELETE,
    LONG_DEADLINE,
    SWITCH,
    Scenario,
    build_faults,
)
from tests.faults.witness import (
    LEFT_UNKNOWN,
    Findings,
    ObservedWrite,
    WriteObserver,
    compare_with_log,
)
from tests.patience import HANG_TIMEOUT
from tests.sandbox_addresses import sandbox_addresses

RUNS = "runs"
MIRROR_DIFFERS = "the copy is not as Twilio has it"
DEADLINE_FACTORS = (1, 4, 16)  # times the trouble's deadline
ONE_MINUTE = timedelta(minutes=1)
RUN_INTERVAL = 30 * ONE_MINUTE  # so that no creation is in another's window


class Clock:
    """Clock of this site and of Twilio, set ahead where a person would wait."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, by: timedelta) -> None:
        self.ahead += by + timedelta(seconds=1)


@contextmanager
def empty_site(clock: Clock) -> Iterator[Sandbox]:
    """Start an empty API and an empty site whose client doesn't wait between tries."""
    client = clients.ResourceClient

    def hurried(resource: Resource, **options: Any) -> ResourceClient:
        return client(resource, **options, sleep=lambda _seconds: None)

    with (
        Sandbox(clock=clock.now) as sandbox,
        override_settings(**sandbox_addresses(sandbox.url)),
        ExitStack() as stack,
    ):
        stack.enter_context(mock.patch.object(clients, "ResourceClient", hurried))
        stack.enter_context(mock.patch("django.utils.timezone.now", clock.now))
        Flow.objects.all().delete()  # the copy of an earlier one, which is no more
        yield sandbox


def run_scenario(trouble: Scenario, verb: str, *, runs: int, seed: int, clock: Clock) -> Findings:
    """Return the result of several runs."""
    total = Findings()
    with empty_site(clock) as sandbox:
        witness = WriteObserver(sandbox)
        bystander = sandbox.add_flow(friendly_name="Bystander")
        for number in range(runs):
            total.add(
                _run_until_triggered(
                    sandbox, witness, clock, trouble, verb, bystander, f"seed {seed}, run {number}"
                )
            )
        sync_account(ACCOUNT)
        mirrored_flows = {flow.sid: flow.resource for flow in Flow.objects.filter(gone_at=None)}
        twilio_flows = {sid: FLEX_FLOW.decode(flow) for sid, flow in sandbox.flows.items()}
        if not is_mirrored(mirrored_flows, twilio_flows):
            total.complain(MIRROR_DIFFERS, f"{trouble.name}, {verb}")
    return total


def _run_until_triggered(
    sandbox: Sandbox,
    witness: WriteObserver,
    clock: Clock,
    trouble: Scenario,
    verb: str,
    bystander: str,
    seed: str,
) -> Findings:
    """Run until the fault has taken effect.

    On a busy machine a short deadline may expire before the sandbox has the request. Such a run is
    checked but not counted, and repeated with a longer deadline.
    """
    total = Findings()
    for patience in DEADLINE_FACTORS:
        clock.move(RUN_INTERVAL)
        restrictions.retry_endpoints(
            account_sid=ACCOUNT, actor=OMAR
        )  # what Twilio refused in an earlier run is over
        chance = random.Random(f"{trouble.name} {verb} {seed} {patience}")
        run = Run(sandbox, witness, clock, trouble, verb, chance, bystander, patience)
        verdict = run.execute()
        complaints = [
            f"{trouble.name}, {verb}, {seed}: {complaint}" for complaint in verdict.complaints
        ]
        if run.has_happened:
            verdict.counts[RUNS] = 1
            total.add(Findings(verdict.counts, complaints))
            return total
        total.complaints.extend(complaints)
    raise AssertionError(f"{trouble.name} did not happen")


def is_mirrored(
    mirrored_flows: dict[str, dict[str, Any]], twilio_flows: dict[str, dict[str, Any]]
) -> bool:
    """Tell whether the mirror agrees with Twilio, apart from secrets."""
    names = [entry.name for entry in FLEX_FLOW.writable_fields]
    return mirrored_flows.keys() == twilio_flows.keys() and not any(
        FLEX_FLOW.differing_fields(mirrored_flows[sid], redact(twilio_flows[sid]), names)
        for sid in twilio_flows
    )


class Run:
    """One change with a fault, and its aftermath."""

    def __init__(
        self,
        sandbox: Sandbox,
        witness: WriteObserver,
        clock: Clock,
        trouble: Scenario,
        verb: str,
        chance: random.Random,
        bystander: str,
        patience: int,
    ) -> None:
        self.patience, self.has_happened = patience, not trouble.faults
        self.sandbox, self.witness, self.clock = sandbox, witness, clock
        self.trouble, self.verb, self.chance, self.bystander = trouble, verb, chance, bystander
        self.change_id = uuid.UUID(int=chance.getrandbits(128), version=4)
        draws = FlowGenerator(chance, self.change_id.hex[:8])
        self.sid = "" if verb == CREATE else sandbox.add_flow(**draws.flow())
        self.before = FLEX_FLOW.decode(sandbox.flows[self.sid]) if self.sid else {}
        self.values = (
            draws.flow()
            if verb == CREATE
            else {"enabled": not self.before["enabled"]} if verb == SWITCH else draws.edit(self.before)
        )  # fmt: skip

    def execute(self) -> Findings:
        since = audit_log.last_seq()
        if self.trouble.when == "reconciling":
            # Its answer is lost. Who is to die of what was found must find it at the first read.
            is_applied = self.chance.random() < 0.5 or self.trouble.killed
            fault_kind = FaultKind.APPLY_THEN_DROP if is_applied else FaultKind.DROP
            self.sandbox.inject(Fault(fault_kind, method=self.method, times=None))
            self._change()
        else:
            self._run_with_faults(self._change)
        self.restore_api()
        self._reconcile_all()
        writes = self.witness.take()
        verdict = compare_with_log(writes, since=since)
        self._resolve_manually(verdict, writes)
        return verdict

    @property
    def method(self) -> str:
        return "DELETE" if self.verb == DELETE else "POST"

    def call(self) -> None:
        """Make the change as the site does."""
        with suppress(NotRecorded, OutcomeNotRecorded, FlowUnreadable):
            victim.make_change(self.verb, self.sid, self.before, self.values, OMAR, self.change_id)

    def restore_api(self) -> None:
        self.sandbox.clear_faults()
        self.witness.on_write = None
        if self.trouble.applied_late != "between two reads":
            self._release_held()

    def _release_held(self) -> None:
        release_until(self.sandbox, self.witness.is_quiet)

    def _change(self) -> None:
        with mock.patch.object(operations, "resource_client", self._client):
            self.call()

    def _client(
        self, resource: Resource, account_sid: str, *, deadline: float = LONG_DEADLINE
    ) -> ResourceClient:
        deadline = min(deadline, self.patience * self.trouble.deadline)
        client = copy.copy(clients.resource_client(resource, account_sid, deadline=deadline))
        if self.trouble.when == "at the call":
            self.trouble.client(client)
        return client

    def _run_with_faults(self, act: Any) -> None:
        """Run `act` in this process, or in one that is killed during it."""
        trouble = self.trouble
        method = self.method if trouble.when == "at the call" else "GET"
        earlier = max((request.n for request in self.sandbox.requests), default=0)
        for fault in build_faults(trouble, method):
            self.sandbox.inject(fault)
        with trouble.around(self), mock.patch.object(flow_reads, "resource_client", self._client):
            if trouble.killed:
                self._run_victim()
            else:
                act()
        if trouble.faults:
            befallen = {request.fault for request in self.sandbox.requests if request.n > earlier}
            self.has_happened = trouble.faults[0].kind in befallen

    def _run_victim(self) -> None:
        orders = victim.Instructions(
            step=self.trouble.killed,
            verb="reconcile" if self.trouble.when == "reconciling" else self.verb,
            sid=self.sid,
            before=self.before,
            values=self.values,
            actor=OMAR,
            change_id=self.change_id,
            api=self.sandbox.url,
            database=str(connection.settings_dict["NAME"]),
            ahead=self.clock.ahead,
        )
        process = victim.start_victim(orders)
        if orders.step in victim.STEPS_KILLED_BY_PARENT:
            assert self.sandbox.wait_until_held()
            process.kill()
        process.join(HANG_TIMEOUT)
        assert process.exitcode == -signal.SIGKILL, (
            f"the process was not killed, but ended with {process.exitcode}"
        )
        process.close()

    def _reconcile(self) -> None:
        with suppress(FlexError, NotRecorded):
            reconcile.reconcile()

    def _reconcile_all(self) -> None:
        """Reconcile with two reads, sometimes with external edits and syncs in between."""
        self.clock.move(ONE_MINUTE)
        self._elsewhere()
        self.clock.move(clients.ATTEMPT_TIMEOUT)
        if self.trouble.when == "reconciling":
            self._run_with_faults(self._reconcile)
            self.restore_api()
        reconcile.reconcile()
        self._release_held()
        if self.chance.random() < 0.2:
            sync_account(ACCOUNT)
        self.clock.move(reconcile.CONFIRMATION_DELAY)
        reconcile.reconcile()

    def _elsewhere(self) -> None:
        """Make external edits at Twilio: to other fields of this flow, or to other flows."""
        target = self.chance.choice(
            ["nothing", "nothing", "this flow", "another flow", "a new flow"]
        )
        sid = self.sid or next(
            (seen.received.sid for seen in self.witness.seen if seen.received.applied), None
        )
        if target == "this flow" and sid in self.sandbox.flows:
            janitor = self.sandbox.flows[sid]["janitor_enabled"]
            self.sandbox.edit_flow(sid, janitor_enabled=not janitor)
        elif target == "another flow":
            self.sandbox.edit_flow(
                self.bystander, friendly_name=f"Bystander {self.chance.random()}"
            )
        elif target == "a new flow":
            self.sandbox.add_flow()
        if self.chance.random() < 0.2:
            sync_account(ACCOUNT)

    def _resolve_manually(self, verdict: Findings, writes: list[ObservedWrite]) -> None:
        """Resolve ambiguous changes by what really happened, so that the next run can start."""
        for change in OpenChange.objects.exclude(ambiguity=""):
            created_sid = next((one.received.sid for one in writes if one.received.applied), None)
            if created_sid and self.verb == CREATE and created_sid not in change.candidates:
                verdict.complain(LEFT_UNKNOWN, f"{change.change_id}: what it made is no candidate")
                created_sid = None
            reconcile.resolve_manually(
                change=change,
                applied=bool(created_sid),
                sid=created_sid or "",
                reason="the matrix",
                actor=OMAR,
            )
