"""A sync reads names too. Whatever becomes of them, the flows are synced."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from flows.mirror import name_sync
from flows.mirror.models import Flow
from flows.mirror.name_sync import refresh_names, sync_with_names
from flows.names.models import NameRefresh, ResourceName
from flows.twilio.errors import RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.seed import DEMO_SIDS
from tests import ACCOUNT

pytestmark = pytest.mark.django_db(transaction=True)

DELETED_SID = "FW" + "d" * 32


def count_name_requests(sandbox):
    return sum("/FlexFlows" not in request.path for request in sandbox.requests)


def test_sync_reads_the_names_of_what_its_flows_point_to(sandbox):
    sandbox.add_flow(integration_flow_sid=DELETED_SID)

    report = sync_with_names(ACCOUNT)

    assert (report.flows, report.names) == (1, ResourceName.objects.count())
    assert ResourceName.objects.get(sid=DEMO_SIDS["chat_service_sid"]).name == "Flex Chat Service"
    assert ResourceName.objects.get(sid=DELETED_SID).gone_at is not None


def test_workflow_is_asked_for_in_the_workspace_of_its_flow(sandbox):
    workspace_sid, workflow_sid = "WS" + "d" * 32, "WW" + "d" * 32
    sandbox.add_flow(
        integration_type="task",
        integration_workspace_sid=workspace_sid,
        integration_workflow_sid=workflow_sid,
    )

    sync_with_names(ACCOUNT)

    assert {workspace_sid, workflow_sid} == set(
        ResourceName.objects.exclude(gone_at=None).values_list("sid", flat=True)
    )


def test_names_are_not_read_again_with_each_sync(sandbox):
    sync_with_names(ACCOUNT)
    count = count_name_requests(sandbox)

    assert not sync_with_names(ACCOUNT).has_changes
    assert count_name_requests(sandbox) == count
    NameRefresh.objects.update(ended_at=timezone.now() - timedelta(minutes=6))
    sync_with_names(ACCOUNT)
    assert count_name_requests(sandbox) > count


def test_names_are_read_again_on_request(sandbox):
    sync_with_names(ACCOUNT)
    count = count_name_requests(sandbox)

    refresh_names(ACCOUNT)

    assert count_name_requests(sandbox) > count


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.GARBAGE, FaultKind.HTML_OK])
def test_failures_of_names_never_fail_a_sync(sandbox, kind):
    sandbox.add_flow()
    for product in ("studio", "taskrouter", "conversations", "chat", "messaging", "api"):
        sandbox.inject(Fault(kind, path=f"/{product}/*", times=None))

    assert sync_with_names(ACCOUNT).flows == 1
    assert Flow.objects.count() == 1
    assert not ResourceName.objects.exists()


def test_errors_of_this_site_never_fail_a_sync(sandbox, monkeypatch, caplog):
    def fail(*_args):
        raise RuntimeError("broken")

    sandbox.add_flow()
    monkeypatch.setattr(name_sync.refresh, "refresh_names", fail)

    assert sync_with_names(ACCOUNT).flows == 1
    assert "could not be read" in caplog.text


def test_names_are_read_if_twilio_refuses_to_list_flows(sandbox):
    sandbox.inject(Fault(FaultKind.REFUSE, path="/FlexFlows", status=410, code=20410, times=None))

    with pytest.raises(RequestRefused):
        sync_with_names(ACCOUNT)

    assert ResourceName.objects.exists()


def test_command_and_list_page_read_names(sandbox, client_of):
    call_command("sync_flows")
    assert ResourceName.objects.exists()

    ResourceName.objects.all().delete()
    NameRefresh.objects.all().delete()
    client_of("viewer").post("/flows/sync/")
    assert ResourceName.objects.exists()
