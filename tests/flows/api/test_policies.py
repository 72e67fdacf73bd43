"""Changes over the API in an account whose policy requires approval."""

import pytest

from flows.approvals.models import ChangeRequest
from flows.approvals.terms import Terms
from flows.audit.models import AuditEvent
from tests.flows.api.test_flow_writes import NEW, change
from tests.flows.approvals.acting import ANY, set_policy, writes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def needs_approval(sandbox, flow_sid, person):
    set_policy(ANY)


def test_change_becomes_a_request_and_nothing_is_sent(
    sandbox, flow_sid, api_client, needs_approval
):
    client = api_client()
    response = change(client, flow_sid, {"enabled": False, "reason": "Holidays"})

    (request,) = ChangeRequest.objects.all()
    assert (response.status_code, response.json()["result"]) == (202, "requested")
    assert response["Location"] == response.json()["url"] == f"/api/v1/requests/{request.pk}"
    assert response.json()["page"] == f"/requests/{request.pk}/"
    shown = client.get(response["Location"].removeprefix("/api/v1/")).json()
    assert shown["id"] == str(request.pk)
    assert (request.target_sid, request.reason) == (flow_sid, "Holidays")
    assert writes(sandbox) == []


def test_creation_becomes_a_request(sandbox, api_client, needs_approval):
    response = api_client().send("POST", "flows", {**NEW, "reason": "Opening"})

    assert response.json()["result"] == "requested"
    assert writes(sandbox) == []


def test_missing_reason_is_refused(sandbox, flow_sid, api_client, person):
    set_policy(Terms(requires_reason=True))

    response = change(api_client(), flow_sid, {"enabled": False})

    assert response.status_code == 403
    assert "requires a reason" in response.json()["detail"]
    assert writes(sandbox) == []
    assert AuditEvent.objects.filter(result="denied").exists()
