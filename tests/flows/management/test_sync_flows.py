"""The command that refreshes the copy."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from flows.flexapi.sandbox import Fault, FaultKind, Lag
from flows.models import Flow, SyncState
from tests.faults.acting import read_only, refusing, switch

pytestmark = pytest.mark.django_db


def test_sync_flows_says_what_it_found(sandbox):
    sandbox.add_flow()
    out = io.StringIO()

    call_command("sync_flows", stdout=out)

    assert out.getvalue() == "1 flows: 1 new, 0 changed, 0 deleted.\n"
    assert Flow.objects.count() == 1


def test_sync_flows_fails_clearly_when_twilio_is_away(sandbox):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(CommandError, match="Sync failed: Twilio answered with status 500"):
        call_command("sync_flows")


def test_sync_flows_whose_reading_of_what_is_in_doubt_fails_has_refreshed_the_copy(sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.DROP, method="POST"))
    switch(flow_sid)
    other = sandbox.add_flow()
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", path="/FlexFlows/*", status=403))

    with pytest.raises(CommandError, match="Couldn't check the changes with an unknown outcome"):
        call_command("sync_flows")

    assert Flow.objects.filter(sid=other).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", [lambda: refusing("flows_auditevent"), read_only], ids=["log", "database"])
def test_sync_flows_fails_clearly_when_the_database_can_not_be_written(sandbox, flow_sid, broken):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    with broken(), pytest.raises(CommandError, match="Sync failed"):
        call_command("sync_flows")

    assert Flow.objects.get().friendly_name == "Réclamations Lyon"


def test_sync_flows_leaves_another_sync_alone(sandbox, settings):
    SyncState.objects.create(account_sid=settings.FLEX_ACCOUNTS[0].sid, started_at=timezone.now())

    with pytest.raises(CommandError, match="in progress"):
        call_command("sync_flows")

    assert sandbox.requests == []


def test_sync_flows_says_how_far_missing_flows_are_checked_and_that_not_all_is_well(sandbox):
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


def test_sync_flows_says_that_a_list_left_out_flows(sandbox):
    sandbox.add_flow()
    call_command("sync_flows", stdout=io.StringIO())
    sandbox.lag(Lag("empty"))

    with pytest.raises(CommandError, match="1 flow is missing from Twilio's list, but still exists there"):
        call_command("sync_flows", stdout=io.StringIO())
