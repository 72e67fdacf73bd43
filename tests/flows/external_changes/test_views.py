"""The inbox of external changes: accepting and reverting, and restoring earlier versions."""

import uuid

import pytest

from flows.audit.models import AuditEvent, OpenDrift
from flows.availability import restrictions
from flows.changes import flow_changes
from flows.mirror import mirror
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import clock_ahead, read_only_database
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

SECRET = "https://user:canary-5@hooks.example.com/in"


def text(page):
    return page.content.decode()


@pytest.fixture
def drift(sandbox, flow_sid):
    """Rename the flow outside this dashboard, in two steps, and return the last event."""
    for name in ("Pilot", "Pilot 2"):
        sandbox.edit_flow(flow_sid, friendly_name=name)
        mirror.sync(ACCOUNT)
    return AuditEvent.objects.filter(action="flow.drift").latest("seq")


def save(client, page, path, **fields):
    """Submit the form of a page with some other values."""
    return client.post(path, {**form_data(page), "change_id": uuid.uuid4(), **fields})


def last(**having):
    return AuditEvent.objects.filter(**having).latest("seq")


def test_inbox_shows_a_flow_once_from_first_to_last(client_of, drift, flow_sid):
    page = client_of("viewer").get("/flows/drift/")

    (item,) = page.context["found"]
    assert (item.kind, len(item.events), item.last) == ("changed", 2, drift)
    assert item.rows == [
        {"label": "Friendly name", "before": "Réclamations Lyon", "after": "Pilot 2"}
    ]
    assert page.context["drift_count"] == 1


def test_drift_is_told_on_the_list_the_flow_and_its_event(client_of, drift, flow_sid):
    client = client_of("viewer")

    assert "External change</span>" in text(client.get("/flows/"))
    flow = client.get(f"/flows/{flow_sid}/")
    assert flow.context["drifted"]
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
    assert client.get("/flows/drift/").context["found"] == []


def test_accepting_what_was_shown_leaves_what_came_later(client_of, sandbox, drift, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Pilot 3")
    mirror.sync(ACCOUNT)

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


def test_undoing_a_change_is_an_ordinary_change_that_refers_to_it(
    client_of, sandbox, drift, flow_sid
):
    client = client_of("operator")
    revert_url = client.get("/flows/drift/").context["found"][0].revert_url

    page = client.get(revert_url)
    assert page.context["restore"].rows == [
        {"label": "Friendly name", "now": "Pilot 2", "then": "Réclamations Lyon"}
    ]
    assert save(client, page, f"/flows/{flow_sid}/edit/").status_code == 302

    assert sandbox.flows[flow_sid]["friendly_name"] == "Réclamations Lyon"
    first = AuditEvent.objects.filter(action="flow.drift").earliest("seq")
    assert last(stage="outcome").refers_to == first.event_id
    assert not OpenDrift.objects.exists()


def test_undoing_that_fails_leaves_it_in_the_inbox(client_of, sandbox, drift, flow_sid):
    client = client_of("operator")
    page = client.get(client.get("/flows/drift/").context["found"][0].revert_url)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=400, code=20001))

    response = save(client, page, f"/flows/{flow_sid}/edit/")

    assert response.status_code == 422
    assert OpenDrift.objects.count() == 2
    assert response.context["form"]["refers_to"].value() == form_data(page)["refers_to"]


def test_undoing_a_creation_is_a_deletion(client_of, sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Not ours")
    mirror.sync(ACCOUNT)
    client = client_of("operator")
    (item,) = client.get("/flows/drift/").context["found"]
    assert item.kind == "made"

    save(client, client.get(item.revert_url), f"/flows/{sid}/delete/", confirm_name="Not ours")

    assert sid not in sandbox.flows
    assert not OpenDrift.objects.exists()


def test_undoing_a_deletion_makes_the_flow_anew_and_both_histories_tell(
    client_of, sandbox, flow_sid
):
    sandbox.remove_flow(flow_sid)
    mirror.sync(ACCOUNT)
    client = client_of("operator")
    (item,) = client.get("/flows/drift/").context["found"]
    assert item.kind == "deleted"

    page = client.get(item.revert_url)
    assert "SID will change" in text(page)
    answer = save(client, page, "/flows/new/", chat_service_sid="IS" + "1" * 32)

    assert answer.status_code == 302
    (created_sid,) = sandbox.flows
    assert sandbox.flows[created_sid]["friendly_name"] == "Réclamations Lyon"
    assert not OpenDrift.objects.exists()
    for sid in (flow_sid, created_sid):
        history = client.get(f"/flows/{sid}/").context["history"]
        assert [event.target_sid for event in history if event.action == "flow.create"] == [
            created_sid
        ]


def test_edit_page_of_a_flow_that_is_gone_leads_to_making_it_anew(client_of, sandbox, flow_sid):
    baseline = AuditEvent.objects.get(action="flow.baseline")
    sandbox.remove_flow(flow_sid)

    answer = client_of("operator").get(f"/flows/{flow_sid}/edit/?restore={baseline.event_id}")

    assert answer.status_code == 302
    assert answer.url == f"/flows/new/?restore={baseline.event_id}"


def test_restoring_takes_the_live_secret_where_it_is_the_same_and_asks_where_it_is_not(
    client_of, sandbox, actor
):
    sid = sandbox.add_flow(integration_type="external", integration_url=SECRET, friendly_name="Old")
    mirror.sync(ACCOUNT)
    baseline = AuditEvent.objects.get(action="flow.baseline")
    address = f"/flows/{sid}/edit/?restore={baseline.event_id}"
    client = client_of("operator")
    sandbox.edit_flow(sid, friendly_name="New")

    page = client.get(address)
    assert page.context["restore"].secrets == []
    save(client, page, f"/flows/{sid}/edit/")
    assert sandbox.flows[sid]["friendly_name"] == "Old"
    assert sandbox.flows[sid]["integration"]["url"] == SECRET

    sandbox.edit_flow(sid, integration_url="https://hooks.example.com/elsewhere")
    page = client.get(address)
    assert page.context["restore"].secrets == ["Webhook URL"]
    assert "canary" not in text(page)
    response = save(client, page, f"/flows/{sid}/edit/")
    assert (response.status_code, set(response.context["form"].errors)) == (
        422,
        {"integration_url"},
    )
    assert save(client, page, f"/flows/{sid}/edit/", integration_url=SECRET).status_code == 302


def test_restoring_what_is_there_already_says_so(client_of, flow_sid):
    baseline = AuditEvent.objects.get(action="flow.baseline")

    page = client_of("operator").get(f"/flows/{flow_sid}/edit/?restore={baseline.event_id}")

    assert page.context["restore"].rows == []
    assert "There is nothing to change" in text(page)


def test_field_that_can_not_be_emptied_stays(client_of, sandbox):
    sid = sandbox.add_flow(integration_type="studio", long_lived=None)
    mirror.sync(ACCOUNT)
    baseline = AuditEvent.objects.get(action="flow.baseline")
    sandbox.edit_flow(sid, long_lived=True)

    page = client_of("operator").get(f"/flows/{sid}/edit/?restore={baseline.event_id}")

    assert page.context["restore"].unclearable == ["Long-lived"]
    assert page.context["form"]["long_lived"].value() == "true"


@pytest.mark.parametrize(
    "query", ["restore=x", f"restore={uuid.UUID(int=7)}", "restore=", "state=before"]
)
def test_restore_of_nothing_is_the_ordinary_form(client_of, flow_sid, query):
    client = client_of("operator")

    for path in (f"/flows/{flow_sid}/edit/", "/flows/new/"):
        page = client.get(f"{path}?{query}")
        assert (page.status_code, page.context["restore"]) == (200, None)


def test_event_of_another_flow_is_not_restored(client_of, sandbox, flow_sid):
    baseline = AuditEvent.objects.get(action="flow.baseline")
    other = sandbox.add_flow(friendly_name="Other")

    page = client_of("operator").get(f"/flows/{other}/edit/?restore={baseline.event_id}")

    assert page.context["restore"] is None


def test_event_pages_link_both_ways(client_of, drift, flow_sid):
    client = client_of("operator")
    page = client.get(client.get("/flows/drift/").context["found"][0].revert_url)
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


def test_what_we_changed_in_between_is_not_called_foreign_nor_undone(
    client_of, sandbox, drift, flow_sid, actor
):
    flow_changes.set_enabled(
        sid=flow_sid,
        account_sid=ACCOUNT,
        enabled=False,
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    )
    sandbox.edit_flow(flow_sid, friendly_name="Pilot 3")
    mirror.sync(ACCOUNT)
    client = client_of("operator")
    (item,) = client.get("/flows/drift/").context["found"]
    assert [row["label"] for row in item.rows] == ["Friendly name"]

    save(client, client.get(item.revert_url), f"/flows/{flow_sid}/edit/")

    assert sandbox.flows[flow_sid]["friendly_name"] == "Réclamations Lyon"
    assert sandbox.flows[flow_sid]["enabled"] is False
    assert not OpenDrift.objects.exists()


def test_restoring_what_was_found_does_not_count_as_dealing_with_it(
    client_of, sandbox, drift, flow_sid
):
    client = client_of("operator")
    address = f"/flows/{flow_sid}/edit/?restore={drift.event_id}"

    save(client, client.get(address), f"/flows/{flow_sid}/edit/", integration_retry_count="1")

    assert OpenDrift.objects.filter(event=drift).exists()


def test_change_of_another_flow_closes_nothing(client_of, sandbox, drift, flow_sid):
    other = sandbox.add_flow(friendly_name="Other", enabled=True)
    mirror.sync(ACCOUNT)
    client = client_of("operator")
    address = f"/flows/{other}/enabled/?undo={drift.event_id}"

    client.post(address, {**form_data(client.get(address)), "refers_to": drift.event_id})

    assert sandbox.flows[other]["enabled"] is False
    assert OpenDrift.objects.filter(event=drift).exists()
    assert last(stage="outcome").refers_to is None


def test_flow_made_and_deleted_elsewhere_has_nothing_to_undo(client_of, sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Brief")
    mirror.sync(ACCOUNT)
    sandbox.remove_flow(sid)
    with clock_ahead():
        mirror.sync(ACCOUNT)

    (item,) = client_of("operator").get("/flows/drift/").context["found"]

    assert (item.kind, item.revert_url) == ("deleted", "")


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


def test_masked_part_of_any_field_has_to_be_typed_again(client_of, sandbox):
    sid = sandbox.add_flow(
        channel_type="custom", contact_identity="https://bot.example.com/in?token=canary"
    )
    mirror.sync(ACCOUNT)
    baseline = AuditEvent.objects.get(action="flow.baseline")
    sandbox.edit_flow(sid, contact_identity="plain")
    client = client_of("operator")

    page = client.get(f"/flows/{sid}/edit/?restore={baseline.event_id}")
    response = save(client, page, f"/flows/{sid}/edit/")

    assert (response.status_code, set(response.context["form"].errors)) == (
        422,
        {"contact_identity"},
    )


@pytest.fixture
def many(sandbox):
    """Twelve flows whose retry count was changed outside this dashboard; their SIDs."""
    sids = [
        sandbox.add_flow(
            friendly_name=f"Flow {number:02}", integration_type="studio", integration_retry_count=3
        )
        for number in range(12)
    ]
    mirror.sync(ACCOUNT)
    for sid in sids:
        sandbox.edit_flow(sid, integration_retry_count=1)
    mirror.sync(ACCOUNT)
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
    mirror.sync(ACCOUNT)
    for sid in sids:
        sandbox.edit_flow(sid, friendly_name="Same")
    mirror.sync(ACCOUNT)

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


def test_single_with_nothing_to_change_offers_no_revert(client_of, drift, flow_sid, actor):
    flow_changes.update_flow(
        sid=flow_sid, account_sid=ACCOUNT, base=None, values={"friendly_name": "Réclamations Lyon"}, reason="", actor=actor,
        change_id=uuid.uuid4(),
    )  # fmt: skip

    (item,) = client_of("operator").get("/flows/drift/").context["found"]

    assert item.revert_url == ""


@pytest.mark.parametrize("path", ["accept", "revert"])
def test_reason_that_is_too_long_stays_where_it_was_typed(client_of, many, path):
    client = client_of("operator")
    events = group_of(client.get("/flows/drift/")).events

    page = client.post(f"/flows/drift/{path}/", {"events": events, "reason": "x" * 201})

    assert page.status_code == 422
    assert "The reason has 201 characters. Use up to 200." in text(page)
    assert "x" * 201 in text(page)
    assert OpenDrift.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_reason_stays_where_the_log_can_not_be_written(client_of, drift):
    client = client_of("operator")

    with read_only_database():
        page = client.post(f"/flows/drift/{drift.event_id}/accept/", {"reason": "Agreed"})

    assert page.status_code == 503
    assert 'value="Agreed"' in text(page)
    assert OpenDrift.objects.exists()


@pytest.mark.parametrize("path", ["accept", "revert"])
def test_many_of_an_account_where_one_may_only_look_are_refused(client_of, sandbox, staging, path):
    for account in (sandbox, staging):
        mirror.sync(account.account_sid)
        account.add_flow()
        mirror.sync(account.account_sid)
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


def begin(client, item, reason="Not agreed"):
    """Submit "Revert…" with a reason, as the browser does."""
    name = "undo" if item.kind == "made" else "restore"
    data = {name: item.first.event_id, "state": "before", "begin": "1", "reason": reason}
    return client.post(item.revert_url, data)


def test_reason_goes_along_into_the_edit_form(client_of, sandbox, drift, flow_sid):
    client = client_of("operator")
    (item,) = client.get("/flows/drift/").context["found"]

    page = begin(client, item)

    assert page.status_code == 200
    assert page.context["form"]["reason"].value() == "Not agreed"
    assert page.context["restore"].rows[0]["then"] == "Réclamations Lyon"
    assert save(client, page, f"/flows/{flow_sid}/edit/").status_code == 302
    assert last(stage="outcome").reason == "Not agreed"
    assert not OpenDrift.objects.exists()


def test_reason_goes_along_into_the_form_that_deletes(client_of, sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Not ours")
    mirror.sync(ACCOUNT)
    client = client_of("operator")
    (item,) = client.get("/flows/drift/").context["found"]

    page = begin(client, item)

    assert (page.status_code, page.context["form"]["reason"].value()) == (200, "Not agreed")
    save(client, page, f"/flows/{sid}/delete/", confirm_name="Not ours")
    assert (last(stage="outcome").reason, last(stage="outcome").refers_to) == (
        "Not agreed",
        item.first.event_id,
    )


def test_reason_goes_along_into_the_form_that_creates_again(client_of, sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    mirror.sync(ACCOUNT)
    client = client_of("operator")
    (item,) = client.get("/flows/drift/").context["found"]

    page = begin(client, item)

    assert (page.status_code, page.context["form"]["reason"].value()) == (200, "Not agreed")
    save(client, page, "/flows/new/", chat_service_sid="IS" + "1" * 32)
    assert last(stage="outcome").reason == "Not agreed"


def test_reason_goes_along_where_the_flow_is_gone_by_now(client_of, sandbox, drift, flow_sid):
    client = client_of("operator")
    (item,) = client.get("/flows/drift/").context["found"]
    sandbox.remove_flow(flow_sid)

    page = begin(client, item)

    assert (page.status_code, page.context["flow"]) == (200, None)
    assert page.context["form"]["reason"].value() == "Not agreed"


def test_form_of_a_read_only_account_is_not_opened_by_a_reason_either(client_of, drift, actor):
    restrictions.set_read_only(account_sid=ACCOUNT, reason="A freeze", actor=actor)
    client = client_of("operator")
    event = AuditEvent.objects.filter(action="flow.drift").earliest("seq")

    page = client.post(
        f"/flows/{drift.target_sid}/edit/", {"restore": event.event_id, "begin": "1"}
    )

    assert page.status_code == 403
