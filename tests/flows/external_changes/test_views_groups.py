"""External changes that are alike: one entry, accepted or reverted at once."""

import uuid

import pytest

from flows.audit.models import AuditEvent, OpenDrift
from flows.changes import flow_changes
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.flows.external_changes.inbox_pages import text
from tests.markup import squeezed

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(sandbox):
    """Twelve flows whose retry count was changed outside this dashboard; their SIDs."""
    sids = [
        sandbox.add_flow(
            friendly_name=f"Flow {number:02}", integration_type="studio", integration_retry_count=3
        )
        for number in range(12)
    ]
    sync_account(ACCOUNT)
    for sid in sids:
        sandbox.edit_flow(sid, integration_retry_count=1)
    sync_account(ACCOUNT)
    return sids


def group_of(page):
    (item,) = page.context["groups"]
    return item["group"]


def test_what_happened_alike_is_one_entry(client_of, many):
    page = client_of("operator").get("/flows/drift/")

    group = group_of(page)
    assert (
        group.title,
        group.revertible_count,
        len(group.named_members),
        len(group.folded_members),
    ) == (
        "12 flows changed",
        12,
        10,
        2,
    )
    assert group.rows == [{"label": "Retry count", "before": 3, "after": 1, "varies": False}]
    assert "Accept 12" in text(page)
    assert "Revert 12…" in squeezed(text(page))
    assert text(page).count("Flow 11") == 1


def test_former_values_that_differ_are_not_told_as_one(client_of, sandbox):
    sids = [sandbox.add_flow(friendly_name=f"Flow {number}") for number in range(2)]
    sync_account(ACCOUNT)
    for sid in sids:
        sandbox.edit_flow(sid, friendly_name="Same")
    sync_account(ACCOUNT)

    assert group_of(client_of("viewer").get("/flows/drift/")).rows[0]["varies"]


def test_group_is_accepted_at_once_with_one_reason(client_of, many):
    client = client_of("operator", name="ada")
    events = group_of(client.get("/flows/drift/")).events

    page = client.post("/flows/drift/accept/", {"events": events, "reason": "Agreed"}, follow=True)

    accepted = AuditEvent.objects.filter(action="flow.accept")
    assert {(event.actor_label, event.reason) for event in accepted} == {("ada", "Agreed")}
    assert {event.target_sid for event in accepted} == set(many)
    assert "Accepted for 12 flows" in text(page)
    response = client.post("/flows/drift/accept/", {"events": events}, follow=True)
    assert "Already resolved by someone else" in text(response)
    assert accepted.count() == 12


def test_part_of_a_group_that_was_resolved_meanwhile_is_told(client_of, many):
    client = client_of("operator")
    events = group_of(client.get("/flows/drift/")).events
    client.post(f"/flows/drift/{events.split()[0]}/accept/")

    page = client.post("/flows/drift/accept/", {"events": events}, follow=True)

    assert "Accepted for 11 flows" in text(page)
    assert "1 of them was already resolved by someone else" in text(page)


def test_group_is_reverted_by_a_bulk_change_with_the_reason(client_of, sandbox, many):
    client = client_of("operator")
    events = group_of(client.get("/flows/drift/")).events

    page = client.post(
        "/flows/drift/revert/", {"events": events, "reason": "Not agreed"}, follow=True
    )

    assert page.context["plan"].title == "Revert 12 external changes"
    assert page.context["form"]["reason"].value() == "Not agreed"
    assert page.context["remaining_count"] == 12
    assert "Not agreed" not in page.redirect_chain[-1][0]
    assert OpenDrift.objects.count() == 12


def test_group_with_nothing_to_change_offers_no_revert(client_of, sandbox, many, actor):
    for sid in many:
        flow_changes.update_flow(
            sid=sid,
            account_sid=ACCOUNT,
            base=None,
            values={"integration_retry_count": 3},
            reason="",
            actor=actor,
            change_id=uuid.uuid4(),
        )

    page = client_of("operator").get("/flows/drift/")

    assert group_of(page).revertible_count == 0
    assert "/flows/drift/revert/" not in text(page)


@pytest.mark.parametrize("path", ["accept", "revert"])
def test_reason_that_is_too_long_stays_where_it_was_typed(client_of, many, path):
    client = client_of("operator")
    events = group_of(client.get("/flows/drift/")).events

    page = client.post(f"/flows/drift/{path}/", {"events": events, "reason": "x" * 201})

    assert page.status_code == 422
    assert "The reason has 201 characters. Use up to 200." in text(page)
    assert "x" * 201 in text(page)
    assert OpenDrift.objects.count() == 12


@pytest.mark.parametrize("path", ["accept", "revert"])
def test_many_of_an_account_where_one_may_only_look_are_refused(client_of, sandbox, staging, path):
    for account in (sandbox, staging):
        sync_account(account.account_sid)
        account.add_flow()
        sync_account(account.account_sid)
    client = client_of("operator", "nia", sandbox.account_sid)
    both = " ".join(str(event.event_id) for event in AuditEvent.objects.filter(action="flow.drift"))

    page = client.post(f"/flows/drift/{path}/", {"events": both})

    assert page.status_code == 403
    assert OpenDrift.objects.count() == 2
    assert AuditEvent.objects.filter(result="denied").count() == 1


@pytest.mark.parametrize("events", ["", "x", f"{uuid.UUID(int=7)}"])
def test_many_of_nothing_is_told(client_of, db, events):
    page = client_of("operator").post("/flows/drift/accept/", {"events": events}, follow=True)

    assert "Already resolved by someone else" in text(page)
