"""Pages of bulk changes: selection, draft, start, progress, stop, retry and rollback."""

import re
import uuid
from html import unescape

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.erasure import erasure
from flows.mirror import flow_rows, mirror
from flows.mirror.models import Flow
from flows.plans import drafts, import_draft
from flows.plans.import_draft import ImportEntry
from flows.plans.models import Plan
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import locked_log, received_writes
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/flows/plans/new/"


@pytest.fixture
def sids(sandbox, db):
    created_sids = [
        sandbox.add_flow(friendly_name=f"Flow {number}", enabled=True) for number in range(3)
    ]
    mirror.sync(ACCOUNT)
    return created_sids


@pytest.fixture
def operator(client_of):
    return client_of("operator")


def the_plan():
    return Plan.objects.get()


def make(client, sids, kind="disable", **more):
    response = client.post(NEW, {"sid": sids, "kind": kind, **more})
    assert response.status_code == 302, response.content.decode()
    return Plan.objects.latest("created_at")


def page_of(client, plan, **query):
    return client.get(reverse("flows:plan", args=[plan.pk]), query)


def act(client, plan, what, **data):
    return client.post(reverse(f"flows:plan-{what}", args=[plan.pk]), data)


def work():
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)


def test_list_offers_to_select(operator, sids):
    text = operator.get("/flows/").content.decode()

    assert text.count('name="sid"') == 3
    assert "Select all 3 matching flows" in squeezed(text)


def test_viewer_can_export_but_not_plan(client_of, sids):
    text = client_of("viewer").get("/flows/").content.decode()

    assert "/flows/copy-out/" in text
    assert '<select name="kind">' not in text
    assert client_of("viewer").post(NEW, {"sid": sids, "kind": "disable"}).status_code == 403


def test_only_sids_can_be_selected(operator, sids):
    operator.post(NEW, {"sid": ["foo", "FO1", sids[0]], "kind": "disable"})

    assert [change.target_sid for change in the_plan().changes.all()] == [sids[0]]


def test_stopped_deletion_asks_for_the_number_again(operator, sandbox, sids):
    plan = make(operator, sids, "delete")
    act(operator, plan, "start", confirm="3")
    act(operator, plan, "stop")

    text = page_of(operator, plan).content.decode()

    assert "3 flows will be deleted. Enter this number to confirm" in text
    assert act(operator, plan, "start").status_code == 422
    work()
    assert received_writes(sandbox) == []


def test_polling_takes_the_same_queries_for_any_number_of_flows(operator, sandbox):
    def count_queries(count):
        created_sids = [sandbox.add_flow(enabled=True) for _ in range(count)]
        mirror.sync(ACCOUNT)
        plan = make(operator, created_sids)
        act(operator, plan, "start")
        work()
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, plan)
        return len(queries)

    assert count_queries(2) == count_queries(12)


def test_selection_becomes_a_plan(operator, sids):
    response = operator.post(NEW, {"sid": sids[:2], "sids": sids[2], "kind": "disable"})

    assert response.url == reverse("flows:plan", args=[the_plan().pk])
    assert {change.target_sid for change in the_plan().changes.all()} == set(sids)
    assert AuditEvent.objects.exclude(stage="observed").count() == 0


def test_all_matching_flows_are_selected_by_the_query(operator, sids):
    operator.post(NEW, {"all": "1", "query": "q=flow+1", "kind": "disable"})

    assert [change.target_sid for change in the_plan().changes.all()] == [sids[1]]


def test_empty_selection_returns_to_the_same_list(operator, sids):
    response = operator.post(NEW, {"query": "q=flow&sort=-name", "kind": "disable"}, follow=True)

    assert response.redirect_chain[0][0] == "/flows/?q=flow&sort=-name"
    assert "Select at least one flow." in response.content.decode()
    assert not Plan.objects.exists()


@pytest.mark.parametrize(("kind", "bad", "good"), [
    ("retry_count", "4", "2"),
    ("retry_count", "", "0"),
    ("webhook_host", "https://hooks.example.com/", "hooks.example.com"),
    ("webhook_host", "a b", "hooks.example.com:8443"),
    ("studio_flow", "FW1", "FW" + "3" * 32),
])  # fmt: skip
def test_value_is_requested_and_validated(operator, sids, kind, bad, good):
    empty_form = operator.post(NEW, {"sid": sids, "kind": kind})
    refused = operator.post(NEW, {"sids": " ".join(sids), "kind": kind, "value": bad})

    assert empty_form.status_code == 200
    assert "Fix 1 problem to continue" not in empty_form.content.decode()
    assert refused.status_code == 422
    assert f'value="{bad}"' in refused.content.decode() or not bad
    assert not Plan.objects.exists()
    assert make(operator, sids, kind, value=good).changes.count() == 3


def test_unknown_kind_is_refused(operator, sids):
    assert operator.post(NEW, {"sid": sids, "kind": "explode"}).status_code == 422
    assert not Plan.objects.exists()


def test_draft_shows_changes_and_skipped_flows(operator, sandbox, sids):
    sandbox.edit_flow(sids[0], enabled=False)
    mirror.sync(ACCOUNT)

    text = page_of(operator, make(operator, sids)).content.decode()

    assert "Review: 2 flows will change" in text
    assert "Already set." in text
    assert "Skipped 1" in text


def test_rows_can_be_filtered_by_state(operator, sandbox, sids):
    sandbox.edit_flow(sids[0], enabled=False)
    mirror.sync(ACCOUNT)
    plan = make(operator, sids)

    rows = page_of(operator, plan, state="skipped").context["rows"]

    assert [row["sid"] for row in rows] == [sids[0]]


def test_page_shows_the_progress_and_result_of_a_started_plan(operator, sandbox, sids):
    plan = make(operator, sids)

    assert act(operator, plan, "start", reason="Move").url == reverse("flows:plan", args=[plan.pk])
    live = page_of(operator, plan).content.decode()
    work()
    finished = page_of(operator, plan).content.decode()

    assert 'hx-trigger="every 2s"' in live
    assert "0 of 3 processed" in live
    assert "hx-trigger" not in finished
    assert "3 of 3 flows changed" in finished
    assert "Roll back…" in finished
    assert len(received_writes(sandbox)) == 3


def test_htmx_gets_the_plan_as_a_fragment(operator, sids):
    plan = make(operator, sids)

    text = operator.get(
        reverse("flows:plan", args=[plan.pk]), headers={"HX-Request": "true"}
    ).content.decode()

    assert "<html" not in text
    assert 'id="plan"' in text


def test_deletion_requires_the_number_of_flows(operator, sandbox, sids):
    plan = make(operator, sids, "delete")

    missing, wrong = act(operator, plan, "start"), act(operator, plan, "start", confirm="2")
    work()

    assert [missing.status_code, wrong.status_code] == [422, 422]
    assert "Enter 3 to confirm." in wrong.content.decode().replace("&#x27;", "'")
    assert received_writes(sandbox) == []
    assert act(operator, plan, "start", confirm="3").status_code == 302


def test_start_that_cannot_be_recorded_is_503(operator, sandbox, sids):
    plan = make(operator, sids)

    with locked_log():
        response = act(operator, plan, "start", reason="kept")

    assert response.status_code == 503
    assert "nothing is sent" in response.content.decode()
    assert 'value="kept"' in response.content.decode()


def test_stopped_plan_offers_to_resume(operator, sandbox, sids):
    plan = make(operator, sids)
    act(operator, plan, "start")

    act(operator, plan, "stop")
    work()
    text = page_of(operator, plan).content.decode()

    assert "<strong>Stopped.</strong> 3 flows were not processed." in text
    assert "Resume (3 left)" in text
    assert received_writes(sandbox) == []


def test_rollback_and_retry_are_drafts_of_their_own(operator, sandbox, sids):
    plan = make(operator, sids)
    act(operator, plan, "start")
    assert "has not finished yet" in operator.get(act(operator, plan, "undo").url).content.decode()
    work()

    rollback = Plan.objects.get(pk=act(operator, plan, "undo").url.split("/")[-2])
    retry_page = operator.get(act(operator, plan, "rest").url).content.decode()

    assert (rollback.rollback_of, rollback.changes.count()) == (plan, 3)
    assert "There is nothing to retry." in retry_page
    assert Plan.objects.count() == 2


def test_draft_can_be_discarded(operator, sids):
    plan = make(operator, sids)

    assert act(operator, plan, "discard").url == "/flows/plans/"

    assert not Plan.objects.exists()


def test_started_plan_cannot_be_discarded(operator, sids):
    plan = make(operator, sids)
    act(operator, plan, "start")

    act(operator, plan, "discard")

    assert Plan.objects.exists()


@pytest.mark.parametrize("what", ["start", "stop", "undo", "rest", "discard"])
def test_viewer_can_only_look(client_of, sids, what):
    plan = make(client_of("operator"), sids)
    viewer = client_of("viewer")

    assert page_of(viewer, plan).status_code == 200
    assert act(viewer, plan, what).status_code == 403
    response = client_of("operator").get(reverse(f"flows:plan-{what}", args=[plan.pk]))
    assert (response.status_code, Plan.objects.get().status) == (
        302 if what == "start" else 405,
        "draft",
    )


def test_user_without_one_permission_cannot_start_the_plan(client_of, sids, monkeypatch):
    operator = client_of("operator")
    plan = make(operator, sids, "delete")
    monkeypatch.setitem(ROLES, "clerk", (*ROLES["viewer"], "change_flow"))
    clerk = client_of("clerk")

    text = page_of(clerk, plan).content.decode()
    response = act(clerk, plan, "start", confirm="3")

    assert "your role lacks the permission <code>flows.delete_flow</code>" in text
    assert response.status_code == 403
    assert (
        AuditEvent.objects.filter(action="plan.start", result="denied", actor_label="clerk").count()
        == 1
    )


def test_waiting_plan_names_the_worker_command(operator, sids):
    plan = make(operator, sids)
    act(operator, plan, "start")
    Plan.objects.update(heartbeat_at="2026-11-01T00:00:00Z")

    assert "manage.py db_worker" in page_of(operator, plan).content.decode()


def test_log_shows_the_changes_of_a_plan(operator, sids):
    plan, other = make(operator, sids[:2]), make(operator, sids[2:])
    act(operator, plan, "start")
    act(operator, other, "start")
    work()

    response = operator.get("/audit/", {"plan": str(plan.pk)})

    assert {event.target_sid for event in response.context["events"]} == {*sids[:2], ""}
    assert "Bulk change: Turn off 2 flows" in response.content.decode()
    event = AuditEvent.objects.filter(target_sid=sids[0], stage="outcome").get()
    assert "Part of a bulk change" in operator.get(f"/audit/{event.event_id}/").content.decode()


def test_unknown_plan_is_404(operator):
    assert operator.get(f"/flows/plans/{uuid.uuid4()}/").status_code == 404


def test_plans_are_listed(operator, sids):
    make(operator, sids)

    text = operator.get("/flows/plans/").content.decode()

    assert "Turn off 3 flows" in text
    assert "Draft" in text


def test_formulas_of_an_exported_csv_are_escaped(operator, sandbox):
    sid = sandbox.add_flow(friendly_name="=1+1")
    mirror.sync(ACCOUNT)

    text = operator.post("/flows/copy-out/", {"sid": [sid], "format": "csv"}).content.decode()

    assert text.startswith("\ufeffsid,account_sid,friendly_name")
    assert "'=1+1" in text


def test_export_that_cannot_be_logged_is_refused(operator, sids):
    with locked_log():
        response = operator.post("/flows/copy-out/", {"sid": sids, "format": "csv"})

    assert response.status_code == 302


def test_input_is_filled_in_again_without_being_sent(operator, sandbox, sids):
    plan = make(operator, sids)

    started = act(operator, plan, "start", reason="Typed", edit_again="1").content.decode()
    imported = operator.post("/flows/plans/import/", {"entries": "[typed", "edit_again": "1"})

    assert 'value="Typed"' in started
    assert "Fix 1 problem to continue" not in started
    assert (imported.status_code, "[typed" in imported.content.decode()) == (200, True)
    assert Plan.objects.get().status == "draft"


def test_erasure_empties_the_planned_change(sandbox, operator, actor):
    sid = sandbox.add_flow(
        friendly_name="Marta Example", contact_identity="+15550177", enabled=True
    )
    mirror.sync(ACCOUNT)
    plan = import_draft.plan_import(
        entries=[ImportEntry(sid, {"contact_identity": "+15550188"})], created_by="omar"
    )

    erasure.erase(sid=sid, actor=actor)

    change = plan.changes.get()
    assert (change.friendly_name, change.before, change.requested) == ("", {}, {})
    assert change.skip_reason == "Personal data erased."
    assert page_of(operator, plan).status_code == 200


# The texts of the page


@pytest.fixture
def flows_of_both(sandbox, staging):
    """Two flows in production, one in staging."""
    created_sids = []
    for server, names in ((sandbox, ["One", "Two"]), (staging, ["Three"])):
        created_sids += [
            server.add_flow(
                friendly_name=name,
                channel_type="sms",
                contact_identity=f"+1415555010{place}",
                enabled=True,
            )
            for place, name in enumerate(names)
        ]
        mirror.sync(server.account_sid)
    return created_sids


def text_of(page):
    return unescape(page.content.decode())


def test_draft_of_a_deletion_names_accounts_and_warns_about_sids(operator, flows_of_both):
    plan = make(operator, flows_of_both, "delete")

    text = text_of(page_of(operator, plan))

    assert '<h1 dir="auto">Delete 3 flows in production and staging</h1>' in text
    assert "Review: 3 flows will be deleted in production and staging" in text
    assert "A deleted flow’s SID never comes back." in text
    assert text.count("Will be deleted") == 3
    assert "Deleted</span>" not in text
    assert (
        '<button class="button danger" data-busy="Starting…">Delete 3 flows in production and staging</button>'
        in squeezed(text)
    )
    assert [
        (str(one["account"]), one["text"]) for one in page_of(operator, plan).context["totals"]
    ] == [
        ("production", "2 flows will be deleted"),
        ("staging", "1 flow will be deleted"),
    ]


def test_rows_have_account_identity_and_sid(operator, flows_of_both):
    text = text_of(page_of(operator, make(operator, flows_of_both)))

    for sid in flows_of_both:
        assert f'<span title="{sid}">{sid[:6]}…{sid[-4:]}</span><button class="copy"' in squeezed(
            text
        )
    assert text.count("+14155550100") == 2
    assert len(re.findall(r'data-label="Account">\s*<span class="mark red"', text)) == 2


def test_finished_deletion_is_described_in_the_past_tense(operator, sandbox, flows_of_both):
    plan = make(operator, flows_of_both, "delete")
    sandbox.edit_flow(flows_of_both[0], friendly_name="Renamed meanwhile")
    act(operator, plan, "start", confirm="3")
    work()

    text = text_of(page_of(operator, plan))

    assert "2 of 3 flows deleted" in text
    assert "Finished: 1 conflict" in text
    assert text.count(">Deleted</span>") == 2
    assert text.count(">Not deleted</span>") == 1
    assert "in the meantime. Nothing was sent." in text
    assert "Retry 1 conflict…" in text
    assert "Will be" not in text


def test_deletion_with_a_lost_response_has_an_unknown_outcome(operator, sandbox, sids):
    plan = make(operator, sids[:1], "delete")
    sandbox.inject(Fault(kind=FaultKind.APPLY_THEN_DROP, method="DELETE", times=None))
    act(operator, plan, "start", confirm="1")
    work()

    text = text_of(page_of(operator, plan))

    assert "0 of 1 flow deleted" in text
    assert "May be deleted" in text
    assert "Unknown outcome" in text
    assert "Finished: 1 unknown outcome" in text


def test_title_names_the_account_if_there_are_several(operator, flows_of_both):
    assert (
        make(operator, flows_of_both[:1], "retry_count", value="2").title
        == "Set the retry count of 1 flow in production to 2"
    )


def test_title_names_no_account_if_there_is_only_one(operator, sids):
    assert (
        make(operator, sids, "studio_flow", value="FW" + "3" * 32).title
        == f"Route 3 flows to Studio Flow FW{'3' * 32}"
    )


def test_mixed_changes_are_counted_by_action(operator, flows_of_both):
    entries = [
        ImportEntry(flows_of_both[0], {"friendly_name": "Uno"}),
        ImportEntry(values={"friendly_name": "Neu"}, account_sid=account_sid_of(flows_of_both[2])),
    ]
    plan = import_draft.plan_import(entries=entries, created_by="operator")

    text = text_of(page_of(operator, plan))

    assert "Review: 1 flow will change, 1 will be created in production and staging" in text
    assert "Apply 2 changes in production and staging" in text
    assert plan.title == "Import: change 1 flow, create 1 flow in production and staging"


def account_sid_of(sid):
    return Flow.objects.get(sid=sid).account_sid


def test_other_flow_of_a_collision_is_linked_by_name(operator, sandbox):
    other = sandbox.add_flow(
        friendly_name="Cora", channel_type="sms", contact_identity="+14155550100", enabled=True
    )
    sid = sandbox.add_flow(
        friendly_name="Berta", channel_type="sms", contact_identity="+1 415 555 0100", enabled=False
    )
    mirror.sync(ACCOUNT)

    text = text_of(page_of(operator, make(operator, [sid], "enable")))

    assert (
        f'<a href="/flows/{other}/">“Cora” ({other[:6]}…{other[-4:]})</a> is enabled for the same channel and identity.'
        in text
    )


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("state=todo", "“todo” is not a state of a flow."),
        ("page=x", "“x” is not a page number."),
        ("state=%00", "is not a state"),
    ],
)
def test_invalid_state_or_page_shows_no_flows(operator, sids, query, says):
    page = operator.get(f"{reverse('flows:plan', args=[make(operator, sids).pk])}?{query}")

    assert says in text_of(page)
    assert page.context["rows"] == []


def test_selection_above_the_limit_is_refused_with_its_number(operator, sids, monkeypatch):
    monkeypatch.setattr(drafts, "MAX_FLOWS", 2)

    answer = operator.post(NEW, {"all": "1", "query": "", "kind": "disable"}, follow=True)

    assert (
        "3 flows are selected. A bulk change can have 2 at most: narrow the search first."
        in text_of(answer)
    )
    assert not Plan.objects.exists()


def test_all_flows_of_a_full_account_are_planned(sandbox, operator):
    """None of them is skipped as "not synced"."""
    flow_rows.save_snapshots(
        {f"FO{number:032}": {"sid": f"FO{number:032}", "enabled": True} for number in range(2_600)},
        ACCOUNT,
    )

    plan = make(operator, [], "disable", all="1", query="")

    assert plan.changes.filter(skip_reason="").count() == 2_600
