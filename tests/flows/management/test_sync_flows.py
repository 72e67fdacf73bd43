"""The command that syncs the mirror with Twilio."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from flows.mirror.models import Flow, SyncState
from flows.twilio.sandbox.consistency import Lag
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import failing_inserts, read_only_database, switch_flow

pytestmark = pytest.mark.django_db


def test_sync_flows_reports_its_numbers(sandbox):
    sandbox.add_flow()
    out = io.StringIO()

    call_command("sync_flows", stdout=out)

    assert out.getvalue() == "1 flows: 1 new, 0 changed, 0 deleted.\n"
    assert Flow.objects.count() == 1


def test_sync_flows_reports_that_twilio_is_unavailable(sandbox):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(CommandError, match="Sync failed: Twilio answered with status 500"):
        call_command("sync_flows")


def test_mirror_is_synced_even_if_unknown_outcomes_can_not_be_read(sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.DROP, method="POST"))
    switch_flow(flow_sid)
    new_sid = sandbox.add_flow()
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", path="/FlexFlows/*", status=403))

    with pytest.raises(CommandError, match="Couldn't check the changes with an unknown outcome"):
        call_command("sync_flows")

    assert Flow.objects.filter(sid=new_sid).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "failure",
    [lambda: failing_inserts("flows_auditevent"), read_only_database],
    ids=["log", "database"],
)
def test_sync_flows_reports_that_the_database_can_not_be_written(sandbox, flow_sid, failure):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    with failure(), pytest.raises(CommandError, match="Sync failed"):
        call_command("sync_flows")

    assert Flow.objects.get().friendly_name == "Réclamations Lyon"


def test_sync_flows_does_not_run_beside_another_sync(sandbox, settings):
    SyncState.objects.create(account_sid=settings.FLEX_ACCOUNTS[0].sid, started_at=timezone.now())

    with pytest.raises(CommandError, match="in progress"):
        call_command("sync_flows")

    assert sandbox.requests == []


def test_sync_flows_fails_while_missing_flows_are_checked(sandbox):
    sids = [sandbox.add_flow() for _ in range(30)]
    call_command("sync_flows", stdout=io.StringIO())
    for sid in sids:
        sandbox.remove_flow(sid)
    out = io.StringIO()

    with pytest.raises(
        CommandError, match=r"^Checking 10 flows that are missing from Twilio's list: 20 checked\.$"
    ):
        call_command("sync_flows", stdout=out)

    assert out.getvalue() == "0 flows: 0 new, 0 changed, 20 deleted.\n"
    call_command("sync_flows", stdout=out)


def test_sync_flows_reports_flows_missing_from_the_list(sandbox):
    sandbox.add_flow()
    call_command("sync_flows", stdout=io.StringIO())
    sandbox.lag(Lag("empty"))

    with pytest.raises(
        CommandError, match="1 flow is missing from Twilio's list, but still exists there"
    ):
        call_command("sync_flows", stdout=io.StringIO())
