"""A client can't use the id of a planned change: of a request, a bulk change's row, a migration's step.

Pages and the API show these ids, and a client chooses the id of its own change. Used up, the planned
change would seem made; and the step of a migration would open a door that policies leave open.
"""

# ruff: noqa: F811 - fixtures of other folders
from __future__ import annotations

import uuid
from datetime import time, timedelta

import pytest
from django.utils import timezone

from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.terms import Hours, Terms
from flows.audit.models import AuditEvent
from flows.migration import services as migrations
from flows.migration.status import MigrationStatus
from flows.mirror.sync import sync_account
from flows.schedules.models import Schedule
from tests import ACCOUNT
from tests.flows.api.conftest import api_client  # noqa: F401
from tests.flows.approvals.acting import (
    ANY,
    apply,
    approve,
    request_deletion,
    set_policy,
    writes,
)
from tests.flows.approvals.test_bulk_requests import run, submit
from tests.flows.migration.acting import prepared, reload, run_worker
from tests.flows.migration.conftest import operator_actor, operator_user  # noqa: F401
from tests.flows.plans.running import make_plan, values_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other_sid(sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Other", channel_type="web", enabled=False)
    sync_account(ACCOUNT)
    return sid


def change(client, sid, key, body=None, method="PATCH"):
    etag = client.get(f"flows/{sid}")["ETag"]
    return client.send(method, f"flows/{sid}", body, if_match=etag, idempotency_key=str(key))


def is_refused(response):
    return (response.status_code, response.json()["code"]) == (422, "key_reused")


def test_id_of_a_request_cannot_be_used_up(sandbox, flow_sid, other_sid, omar, ana, api_client):
    set_policy(Terms(kinds=("delete",)))
    request = request_deletion(omar, flow_sid)

    response = change(api_client(), other_sid, request.change_id, {"friendly_name": "Renamed"})

    assert is_refused(response)
    approve(request, ana)
    assert apply(request, omar).status == RequestStatus.DONE
    assert flow_sid not in sandbox.flows


def test_id_of_a_bulk_changes_row_cannot_be_used_up(sandbox, omar, ana, api_client):
    plan = make_plan(sandbox)
    set_policy(Terms(bulk_limit=2))
    request = submit(plan, omar)
    row = plan.changes.order_by("position").first()
    client = api_client()
    details = client.get(f"flows/{row.target_sid}/details")

    response = client.send(
        "PATCH",
        f"flows/{row.target_sid}/details",
        {"tags": ["x"]},
        if_match=details["ETag"],
        idempotency_key=str(row.change_id),
    )

    assert is_refused(response)
    approve(request, ana)
    assert run(request, omar).status == RequestStatus.DONE
    assert not any(values_of(sandbox, "enabled").values())


def test_id_of_a_migrations_step_cannot_be_used_up(sandbox, operator_actor, api_client):
    _, migration = prepared(sandbox, operator_actor)
    step = migration.steps.get(kind="turn_on_address")

    response = change(
        api_client(), migration.flow_sid, step.change_id, {"friendly_name": "Renamed"}
    )

    assert is_refused(response)
    migrations.switch(migration=migration, reason="tonight", actor=operator_actor)
    run_worker()
    assert reload(migration).status == MigrationStatus.SWITCHED
    assert AuditEvent.objects.filter(change_id=step.change_id, result="succeeded").exists()


def test_step_of_a_rollback_opens_no_door(sandbox, operator_actor, api_client, flow_sid):
    _, migration = prepared(sandbox, operator_actor)
    set_policy(Terms(kinds=("any",), requires_reason=True))
    migrations.roll_back(migration=migration, reason="x", actor=operator_actor)
    step = reload(migration).steps.get(kind="delete_address")

    response = change(api_client(), flow_sid, step.change_id, {"reason": "Gone"}, method="DELETE")

    assert response.status_code in {202, 422}
    assert flow_sid in sandbox.flows


def test_request_is_not_sent_a_second_time_by_its_form(sandbox, flow_sid, omar, api_client):
    other_day = (timezone.now().weekday() + 3) % 7
    hours = Hours(days=(other_day,), opens_at=time(8), closes_at=time(9), time_zone="UTC")
    set_policy(Terms(hours=hours))
    client, key = api_client(), str(uuid.uuid4())
    body = {"friendly_name": "Twin", "channel_type": "web", "enabled": False, "reason": "r"}
    body |= {"chat_service_sid": "IS" + "1" * 32, "integration_type": "external"}
    body |= {"integration_url": "https://example.com/hook"}
    first = client.send("POST", "flows", body, idempotency_key=key)
    set_policy(Terms())

    again = client.send("POST", "flows", body, idempotency_key=key)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["url"] == first.json()["url"]
    assert writes(sandbox) == []
    apply(ChangeRequest.objects.get(), omar)
    assert [one["friendly_name"] for one in sandbox.flows.values()].count("Twin") == 1


def test_key_of_a_schedule_stands_for_one_flow(sandbox, flow_sid, other_sid, api_client):
    client, key = api_client(), str(uuid.uuid4())
    due = {"due_at": f"{timezone.now() + timedelta(days=3):%Y-%m-%dT%H:%M}", "time_zone": "UTC"}

    def schedule(sid, name, by=client):
        return by.send(
            "POST",
            f"flows/{sid}/scheduled-changes",
            {"change": {"friendly_name": name}, **due},
            if_match=by.get(f"flows/{sid}")["ETag"],
            idempotency_key=key,
        )

    first, again = schedule(flow_sid, "A"), schedule(flow_sid, "A")
    others = [schedule(other_sid, "B"), schedule(flow_sid, "C")]
    of_another_user = schedule(flow_sid, "A", by=api_client("admin"))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["id"] == first.json()["id"]
    assert all(map(is_refused, [*others, of_another_user]))
    assert Schedule.objects.count() == 1


def test_policy_with_fewer_kinds_is_not_stricter():
    assert not Terms(kinds=("delete",)).is_stricter_than(ANY.for_approvals)
    assert ANY.is_stricter_than(Terms(kinds=("delete",)).for_approvals)


def test_migration_of_more_flows_than_the_limit_is_refused(sandbox, operator_actor, client_of):
    world, first = prepared(sandbox, operator_actor)
    _, second = prepared(sandbox, operator_actor, world=world)
    set_policy(Terms(bulk_limit=1))
    client = client_of("operator")

    both = client.get("/migration/switch/", {"sid": [first.flow_sid, second.flow_sid]})
    one = client.get("/migration/switch/", {"sid": [first.flow_sid]})

    assert "requires approval for more than 1 flow at once" in both.content.decode()
    assert "requires approval" not in one.content.decode()
