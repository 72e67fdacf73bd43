"""Schedules over the API: of a request, of a flow's change, and in lists."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from flexadmin.users.roles import ROLES
from flows.approvals.models import ChangeRequest
from flows.audit.models import AuditEvent
from flows.schedules.models import Schedule
from tests.flows.approvals.acting import ANY, request_rename, set_policy, writes

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = {"operator", "admin"}
SOON = f"{timezone.now() + timedelta(days=10):%Y-%m-%d}T12:00"
TIMES = {"due_at": SOON, "time_zone": "Europe/Berlin"}


@pytest.fixture
def pending(sandbox, flow_sid, person) -> ChangeRequest:
    set_policy(ANY)
    return request_rename(person("operator", "requester"), flow_sid)


def schedule(client, request, **values):
    body = {"content_hash": request.content_hash, **TIMES, **values}
    return client.send("PUT", f"requests/{request.pk}/schedule", body)


def schedule_flow(client, sid, change, **values):
    etag = client.get(f"flows/{sid}")["ETag"]
    key = values.pop("key", None)
    headers = {"if_match": etag} | ({"idempotency_key": key} if key else {})
    body = {"change": change, **TIMES, **values}
    return client.send("POST", f"flows/{sid}/scheduled-changes", body, **headers)


def test_request_is_scheduled_moved_and_its_schedule_cancelled(sandbox, pending, api_client):
    client = api_client("admin")

    first, second = schedule(client, pending), schedule(client, pending, window=30)

    assert (first.status_code, second.status_code) == (200, 200)
    body = client.get(f"requests/{pending.pk}").json()["schedule"]
    assert (body["status"], body["time_zone"]) == ("waiting", "Europe/Berlin")
    assert body["due_at"].startswith(SOON[:10])
    assert Schedule.objects.get().window_minutes == 30
    (listed,) = client.get("schedules", status="waiting").json()["items"]
    assert (listed["request"], listed["summary"]) == (str(pending.pk), "Change Friendly name")

    cancelled = client.send("DELETE", f"requests/{pending.pk}/schedule")

    assert cancelled.json()["schedule"]["status"] == "cancelled"
    assert client.send("DELETE", f"requests/{pending.pk}/schedule").status_code == 409
    assert client.get("schedules", status="waiting").json()["items"] == []
    assert writes(sandbox) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"due_at": "2020-01-01T12:00"}, "due_at"),
        ({"due_at": "tomorrow"}, "due_at"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"window": 0}, "window"),
    ],
)
def test_invalid_times_are_refused_by_field(pending, api_client, values, field):
    response = schedule(api_client("admin"), pending, **values)

    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    assert field in response.json()["errors"]
    assert not Schedule.objects.exists()


def test_other_content_is_not_scheduled(pending, api_client):
    response = schedule(api_client("admin"), pending, content_hash="0" * 64)

    assert (response.status_code, response.json()["code"]) == (409, "content_changed")


def test_change_of_a_flow_is_scheduled_with_its_return_once(sandbox, flow_sid, api_client):
    client, key = api_client("operator"), "6f1f6d1e-53a5-4a5c-9d3b-1f0e1c2d3e4f"
    later = f"{timezone.now() + timedelta(days=20):%Y-%m-%d}T12:00"
    values = {"return_at": later, "key": key}

    responses = [
        schedule_flow(client, flow_sid, {"friendly_name": "Holidays"}, **values) for _ in range(2)
    ]

    assert [response.status_code for response in responses] == [200, 200]
    assert responses[0].json()["id"] == responses[1].json()["id"]
    assert Schedule.objects.count() == 2
    first, second = Schedule.objects.order_by("due_at")
    assert second.return_of == first
    assert second.request.requested == {"friendly_name": "Réclamations Lyon"}
    assert writes(sandbox) == []


def test_change_without_a_difference_is_not_scheduled(flow_sid, api_client):
    response = schedule_flow(
        api_client("operator"), flow_sid, {"friendly_name": "Réclamations Lyon"}
    )

    assert (response.status_code, response.json()["code"]) == (409, "already_set")


def test_stale_version_is_not_scheduled(flow_sid, api_client):
    client = api_client("operator")
    body = {"change": {"friendly_name": "x"}, **TIMES}
    path = f"flows/{flow_sid}/scheduled-changes"

    assert client.send("POST", path, body).status_code == 428
    assert client.send("POST", path, body, if_match='"old"').status_code == 412


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_steps_take_the_role_and_the_scope_and_denials_are_logged(
    pending, flow_sid, api_client, role, scope
):
    client = api_client(role, scope=scope)
    may_change = role in WRITERS and scope == "write"

    statuses = [
        schedule(client, pending).status_code,
        client.send("DELETE", f"requests/{pending.pk}/schedule").status_code,
        schedule_flow(client, flow_sid, {"friendly_name": "x"}).status_code,
    ]

    assert statuses == ([200] * 3 if may_change else [403] * 3)
    denials = AuditEvent.objects.filter(action__startswith="schedule.", result="denied")
    assert denials.exists() is not may_change
    assert client.get("schedules").status_code == 200
