"""The command that finds out what became of changes whose answer was lost."""

import io
import uuid

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from flows.flexapi.sandbox import Fault, FaultKind
from flows.services import changes
from tests.faults.acting import create, refusing

pytestmark = pytest.mark.django_db


@pytest.fixture
def lose(sandbox, flow_sid, actor):
    def make(fault):
        sandbox.inject(Fault(fault, method="POST"))
        changes.set_enabled(sid=flow_sid, enabled=False, reason="", actor=actor, change_id=uuid.uuid4())

    return make


def ran(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_reconcile_changes_says_what_it_found_out(lose, flow_sid):
    lose(FaultKind.APPLY_THEN_DROP)

    said = ran("reconcile_changes")

    assert f"{flow_sid}: Applied · confirmed later" in said
    assert "No changes have an unknown outcome" in said


def test_reconcile_changes_fails_while_something_is_in_doubt(lose):
    lose(FaultKind.DROP)

    with pytest.raises(CommandError, match="Unknown outcome: 1"):
        ran("reconcile_changes")


def test_reconcile_changes_without_twilio(lose, sandbox):
    lose(FaultKind.DROP)
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(CommandError, match="Couldn't read from Twilio"):
        ran("reconcile_changes")


@pytest.mark.django_db(transaction=True)
def test_reconcile_changes_that_can_not_be_recorded(lose):
    lose(FaultKind.APPLY_THEN_DROP)

    with refusing("flows_auditevent"), pytest.raises(CommandError, match="Couldn't write to the audit log"):
        ran("reconcile_changes")

    assert "Applied · confirmed later" in ran("reconcile_changes")


def test_reconcile_changes_counts_what_waits_for_a_person(lose, sandbox, flow_sid):
    lose(FaultKind.APPLY_THEN_DROP)
    sandbox.edit_flow(flow_sid, enabled=None)

    with pytest.raises(CommandError, match=r"Unknown outcome: 1 \(1 waiting for a decision"):
        ran("reconcile_changes")


def test_reconcile_changes_finds_what_a_lost_creation_made(sandbox):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    create()

    said = ran("reconcile_changes")

    assert f"{next(iter(sandbox.flows))}: Applied · confirmed later" in said


def test_sync_settles_what_it_can(lose):
    lose(FaultKind.APPLY_THEN_DROP)

    assert "Resolved 1 changes" in ran("sync_flows")
