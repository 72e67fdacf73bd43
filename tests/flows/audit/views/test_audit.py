"""Pages of the audit log: the list with its filters, and an event."""

import uuid
from datetime import UTC, datetime
from unittest import mock

import pytest

from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent
from tests.faults.acting import append_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    """Return a function that logs an event."""

    def make(**values):
        actor = Actor(id="1", label=values.pop("actor_label", "omar"), role="operator")
        at = values.pop("at", datetime(2026, 11, 20, 12, tzinfo=UTC))
        event_values = {
            "action": "flow.update",
            "stage": "outcome",
            "result": "succeeded",
            **values,
        }
        with mock.patch("django.utils.timezone.now", return_value=at):
            return append_stage(actor=actor, **event_values)

    return make


def seqs(page):
    return [event.seq for event in page.context["events"]]


def test_log_shows_the_newest_event_first(client_of, event):
    event(payload=Payload(friendly_name="Older <i>"))
    event(payload=Payload(friendly_name="Newer"))

    page = client_of("auditor").get("/audit/")

    assert seqs(page) == [2, 1]
    assert "Older &lt;i&gt;" in page.content.decode()


@pytest.mark.parametrize(("query", "expected"), [
    ({"actor": "ada"}, [2]),
    ({"action": "flow.delete"}, [3]),
    ({"result": "failed"}, [4]),
    ({"sid": "FO" + "1" * 32}, [5]),
    ({"from": "2026-11-21"}, [6]),
    ({"to": "2026-11-18"}, [7]),
    ({"from": "2026-11-18", "to": "2026-11-18"}, [7]),
    ({"q": "sommer"}, [8]),
    ({"q": "because holidays"}, [8]),
    ({"q": "%"}, []),
    ({"result": "nonsense", "from": "yesterday", "action": "x", "before": "²"}, []),
    ({"before": "3"}, [2, 1]),
    ({"to": "9999-12-31", "from": "0001-01-01"}, [8, 7, 6, 5, 4, 3, 2, 1]),
])  # fmt: skip
def test_log_filters(client_of, event, query, expected):
    event()
    event(actor_label="ada")
    event(action="flow.delete")
    event(result="failed")
    event(target_sid="FO" + "1" * 32)
    event(at=datetime(2026, 11, 21, tzinfo=UTC))
    event(at=datetime(2026, 11, 18, 23, 59, 59, tzinfo=UTC))
    event(reason="because of holidays", payload=Payload(friendly_name="Sommerfest"))

    page = client_of("viewer").get("/audit/", query)

    assert seqs(page) == expected


def test_log_lists_a_change_once(client_of, event):
    finished, pending = uuid.uuid4(), uuid.uuid4()
    event(change_id=finished, stage="attempt", result="pending")
    event(change_id=finished)
    event(change_id=pending, stage="attempt", result="pending")

    page = client_of("viewer").get("/audit/")

    assert seqs(page) == [3, 2]


def test_log_pages_back_in_time(client_of, event):
    for _ in range(52):
        event()
    client = client_of("viewer")

    first = client.get("/audit/")
    second = client.get("/audit/" + first.context["older_url"])

    assert (len(seqs(first)), seqs(second)) == (50, [2, 1])
    assert second.context["newest_url"] == "?"
    assert second.context["older_url"] is None


def test_log_as_a_fragment_for_htmx(client_of, event):
    event()

    page = client_of("viewer").get("/audit/?actor=omar", headers={"HX-Request": "true"})

    assert "<html" not in page.content.decode()
    assert [chip["label"] for chip in page.context["chips"]] == ["User: omar"]


def test_event_shows_before_and_after(client_of, event):
    before = {"friendly_name": "Old", "integration_retry_count": 3, "channel_type": "sms"}
    requested = {"friendly_name": "New", "integration_retry_count": 2}
    after = {**before, "friendly_name": "New", "new_thing": 1}
    recorded = event(
        payload=Payload(before=before, requested=requested, after=after), remote_status=200
    )

    page = client_of("viewer").get(f"/audit/{recorded.event_id}/")

    rows = {row["name"]: row for row in page.context["rows"]}
    assert (rows["friendly_name"]["before"], rows["friendly_name"]["after"]) == ("Old", "New")
    assert [name for name, row in rows.items() if row["is_changed"]] == [
        "friendly_name",
        "new_thing",
    ]
    assert [name for name, row in rows.items() if row["differs"]] == ["integration_retry_count"]
    assert "New" in page.content.decode()


def test_event_of_a_deletion_has_no_after(client_of, event):
    recorded = event(action="flow.delete", payload=Payload(before={"friendly_name": "Old"}))

    page = client_of("viewer").get(f"/audit/{recorded.event_id}/")

    assert [(row["before"], row["after"]) for row in page.context["rows"]] == [("Old", None)]


def test_failed_event_shows_the_requested_values(client_of, event):
    requested = Payload(before={"enabled": True}, requested={"enabled": False}, message="no <b>")
    recorded = event(result="failed", payload=requested, remote_status=400, remote_code=20001)

    page = client_of("viewer").get(f"/audit/{recorded.event_id}/")

    assert page.context["rows"][0]["requested"] == "Off"
    assert "20001" in page.content.decode()
    assert "No &lt;b&gt;" in page.content.decode()


def test_event_page_has_neighbours_and_stages(client_of, event):
    change = uuid.uuid4()
    first = event()
    event(change_id=change, stage="attempt", result="pending")
    recorded = event(change_id=change)
    last = event()

    page = client_of("viewer").get(f"/audit/{recorded.event_id}/")

    assert (page.context["previous"].seq, page.context["next"].seq) == (first.seq, last.seq)
    assert [stage.stage for stage in page.context["stages"]] == ["attempt", "outcome"]


def test_event_without_its_payload_is_shown(client_of, event):
    recorded = event(payload=Payload(friendly_name="Gone"))
    recorded.payload.delete()

    page = client_of("viewer").get(f"/audit/{recorded.event_id}/")

    assert page.status_code == 200
    assert page.context["payload"] is None


def test_unknown_event_is_404(client_of):
    assert client_of("viewer").get(f"/audit/{uuid.uuid4()}/").status_code == 404
    assert client_of("viewer").get("/audit/not-an-id/").status_code == 404


def test_failed_deletion_shows_the_flow_unchanged(client_of, event):
    recorded = event(
        action="flow.delete", result="failed", payload=Payload(before={"friendly_name": "Stays"})
    )

    page = client_of("viewer").get(f"/audit/{recorded.event_id}/")

    assert [(row["after"], row["is_changed"]) for row in page.context["rows"]] == [("Stays", False)]


def test_unknown_outcome_shows_no_after(client_of, event):
    recorded = event(
        result="unknown", payload=Payload(before={"enabled": True}, requested={"enabled": False})
    )

    page = client_of("viewer").get(f"/audit/{recorded.event_id}/")

    assert [(row["after"], row["is_changed"]) for row in page.context["rows"]] == [
        ("Unknown", False)
    ]


def test_log_needs_the_permission(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("nobody"))

    assert client.get("/audit/").status_code == 403
    assert AuditEvent.objects.count() == 0
