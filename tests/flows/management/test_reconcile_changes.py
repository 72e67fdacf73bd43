"""The command that resolves changes with an unknown outcome."""

import io
import uuid

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from flows.changes import flow_changes
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import create_flow, failing_inserts

pytestmark = pytest.mark.django_db


@pytest.fixture
def change_with_fault(sandbox, flow_sid, actor):
    """A function that turns the flow off while Twilio has a fault."""

    def turn_off(fault):
        sandbox.inject(Fault(fault, method="POST"))
        flow_changes.set_enabled(
            sid=flow_sid,
            account_sid=ACCOUNT,
            enabled=False,
            reason="",
            actor=actor,
            change_id=uuid.uuid4(),
        )

    return turn_off


def run_command(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_reconcile_changes_reports_the_outcome(change_with_fault, flow_sid):
    change_with_fault(FaultKind.APPLY_THEN_DROP)

    output = run_command("reconcile_changes")

    assert f"{flow_sid}: Applied · confirmed later" in output
    assert "No changes have an unknown outcome" in output


def test_reconcile_changes_fails_while_an_outcome_is_unknown(change_with_fault):
    change_with_fault(FaultKind.DROP)

    with pytest.raises(CommandError, match="Unknown outcome: 1"):
        run_command("reconcile_changes")


def test_reconcile_changes_reports_that_twilio_can_not_be_read(change_with_fault, sandbox):
    change_with_fault(FaultKind.DROP)
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(CommandError, match="Couldn't read from Twilio"):
        run_command("reconcile_changes")


@pytest.mark.django_db(transaction=True)
def test_reconcile_changes_reports_that_it_can_not_be_logged(change_with_fault):
    change_with_fault(FaultKind.APPLY_THEN_DROP)

    with (
        failing_inserts("flows_auditevent"),
        pytest.raises(CommandError, match="Couldn't write to the audit log"),
    ):
        run_command("reconcile_changes")

    assert "Applied · confirmed later" in run_command("reconcile_changes")


def test_reconcile_changes_counts_the_pending_decisions(change_with_fault, sandbox, flow_sid):
    change_with_fault(FaultKind.APPLY_THEN_DROP)
    sandbox.edit_flow(flow_sid, enabled=None)

    with pytest.raises(CommandError, match=r"Unknown outcome: 1 \(1 waiting for a decision"):
        run_command("reconcile_changes")


def test_reconcile_changes_finds_the_flow_of_an_unknown_creation(sandbox):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    create_flow()

    output = run_command("reconcile_changes")

    assert f"{next(iter(sandbox.flows))}: Applied · confirmed later" in output


def test_sync_resolves_unknown_outcomes(change_with_fault):
    change_with_fault(FaultKind.APPLY_THEN_DROP)

    assert "Resolved 1 changes" in run_command("sync_flows")


def test_reconcile_changes_names_the_account_on_a_site_with_several(
    change_with_fault, staging, flow_sid
):
    change_with_fault(FaultKind.APPLY_THEN_DROP)

    output = run_command("reconcile_changes")

    assert output.startswith("production: ")
    assert f"{flow_sid}: Applied · confirmed later" in output
