"""The inbox of external changes, accepting them, and their events in the log."""

import re
import uuid

import pytest

from flows.audit.models import AuditEvent, OpenDrift
from flows.changes import flow_changes
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.faults.acting import read_only_database
from tests.flows.external_changes.inbox_pages import inbox_items, last, save, text
from tests.markup import squeezed

pytestmark = pytest.mark.django_db


def test_inbox_shows_a_flow_once_from_first_to_last(client_of, drift, flow_sid):
    page = client_of("viewer").get("/flows/drift/")

    (item,) = inbox_items(page)
    assert (item.kind, len(item.events), item.last) == ("changed", 2, drift)
    assert item.rows == [
        {"label": "Friendly name", "before": "Réclamations Lyon", "after": "Pilot 2"}
    ]
    assert page.context["drift_count"] == 1


def test_changes_have_their_accounts_if_there_are_several(client_of, staging, drift, settings):
    sids = [staging.add_flow(friendly_name=name, enabled=True) for name in ("One", "Two")]
    sync_account(staging.account_sid)
    for sid in sids:
        staging.edit_flow(sid, enabled=False)
    sync_account(staging.account_sid)
    of_staging = client_of("operator", "nina", staging.account_sid)

    page = client_of("viewer").get("/flows/drift/")

    def marks(page):
        main = text(page).split("<main")[1]
        return re.findall(r'<span class="mark [^>]*>\s*(\w+)', main)

    assert sorted(marks(page)) == ["production", "staging"]  # once for a group
    assert marks(of_staging.get("/flows/drift/")) == []

    settings.FLEX_ACCOUNTS = settings.FLEX_ACCOUNTS[1:]  # production was removed

    assert sorted(marks(client_of("viewer").get("/flows/drift/"))) == [ACCOUNT, "staging"]


def test_drift_is_told_on_the_list_the_flow_and_its_event(client_of, drift, flow_sid):
    client = client_of("viewer")

    assert 'role="img" title="External change"' in text(client.get("/flows/"))
    flow = client.get(f"/flows/{flow_sid}/")
    assert flow.context["has_external_changes"]
    assert "Outside this dashboard" in text(flow)
    event = client.get(f"/audit/{drift.event_id}/")
    assert event.context["is_in_inbox"]
    assert "Changed at Twilio: friendly name" in text(event)


def test_accepting_is_on_record_and_empties_the_inbox(client_of, drift, flow_sid):
    client = client_of("operator", name="ada")

    client.post(f"/flows/drift/{drift.event_id}/accept/", {"reason": "Agreed with the pilot team"})

    event = last()
    assert (event.action, event.actor_label, event.refers_to) == (
        "flow.accept",
        "ada",
        drift.event_id,
    )
    assert event.reason == "Agreed with the pilot team"
    assert not OpenDrift.objects.exists()
    assert inbox_items(client.get("/flows/drift/")) == []


def test_accepting_what_was_shown_leaves_what_came_later(client_of, sandbox, drift, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Pilot 3")
    sync_account(ACCOUNT)

    client_of("operator").post(f"/flows/drift/{drift.event_id}/accept/")

    assert OpenDrift.objects.get().event.payload.after["friendly_name"] == "Pilot 3"


def test_accepting_twice_is_told(client_of, drift):
    client = client_of("operator")
    client.post(f"/flows/drift/{drift.event_id}/accept/")

    answer = client.post(f"/flows/drift/{drift.event_id}/accept/", follow=True)

    assert "Already resolved by someone else" in text(answer)
    assert AuditEvent.objects.filter(action="flow.accept").count() == 1


def test_accepting_takes_the_permission_to_change(client_of, drift, role):
    answer = client_of(role).post(f"/flows/drift/{drift.event_id}/accept/")

    assert answer.status_code == (302 if role in ("operator", "admin") else 403)


def test_only_drift_can_be_accepted(client_of, flow_sid):
    baseline = AuditEvent.objects.get(action="flow.baseline")

    assert (
        client_of("operator").post(f"/flows/drift/{baseline.event_id}/accept/").status_code == 404
    )


def test_event_pages_link_both_ways(client_of, drift, flow_sid):
    client = client_of("operator")
    page = client.get(inbox_items(client.get("/flows/drift/"))[0].revert_url)
    save(client, page, f"/flows/{flow_sid}/edit/")
    first, undone = (
        AuditEvent.objects.filter(action="flow.drift").earliest("seq"),
        last(stage="outcome"),
    )

    assert client.get(f"/audit/{undone.event_id}/").context["origin"] == first
    assert client.get(f"/audit/{first.event_id}/").context["referring_events"] == [undone]


def test_change_says_what_it_refers_to_only_if_there_is_such_an_event(client_of, sandbox, flow_sid):
    client = client_of("operator")
    page = client.get(f"/flows/{flow_sid}/edit/")

    save(client, page, f"/flows/{flow_sid}/edit/", friendly_name="New", refers_to=uuid.uuid4())

    assert last(stage="outcome").refers_to is None
    assert last(stage="outcome").result == "succeeded"


def test_log_leaves_baselines_out_unless_asked(client_of, flow_sid, actor):
    flow_changes.set_enabled(
        sid=flow_sid,
        account_sid=ACCOUNT,
        enabled=False,
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    )
    client = client_of("viewer")

    shown_events = client.get("/audit/").context["events"]
    baseline_events = client.get("/audit/?action=flow.baseline").context["events"]

    assert [event.action for event in shown_events] == ["flow.update"]
    assert [event.action for event in baseline_events] == ["flow.baseline"]


@pytest.mark.parametrize(
    ("state", "fields", "relation"),
    [("before", {}, "Reverts"), ("after", {"friendly_name": "Else"}, "Refers to")],
)
def test_event_says_what_it_is_to_the_one_it_refers_to(
    client_of, drift, flow_sid, state, fields, relation
):
    client = client_of("operator")
    page = client.get(f"/flows/{flow_sid}/edit/?restore={drift.event_id}&state={state}")
    save(client, page, f"/flows/{flow_sid}/edit/", **fields)

    shown_events = client.get(f"/audit/{last(stage='outcome').event_id}/").content.decode()

    assert f'<p class="freshness"><span>{relation}<a' in squeezed(shown_events)


@pytest.mark.django_db(transaction=True)
def test_reason_stays_where_the_log_can_not_be_written(client_of, drift):
    client = client_of("operator")

    with read_only_database():
        page = client.post(f"/flows/drift/{drift.event_id}/accept/", {"reason": "Agreed"})

    assert page.status_code == 503
    assert 'value="Agreed"' in text(page)
    assert OpenDrift.objects.exists()
