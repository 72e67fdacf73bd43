"""The page of one bulk change: its figures, its rows and their filter."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flows.erasure import erasure
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import import_draft
from flows.plans.import_draft import ImportEntry
from flows.plans.models import Plan
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.plans.running import run_worker
from tests.flows.plans.views.pages import create_draft, get_page, post_action, text_of
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)


def test_draft_shows_changes_and_skipped_flows(operator, sandbox, sids):
    sandbox.edit_flow(sids[0], enabled=False)
    sync_account(ACCOUNT)

    text = get_page(operator, create_draft(operator, sids)).content.decode()

    assert "Review: 2 flows will change" in text
    assert "Already set." in text
    assert "Skipped 1" in text


def test_rows_can_be_filtered_by_state(operator, sandbox, sids):
    sandbox.edit_flow(sids[0], enabled=False)
    sync_account(ACCOUNT)
    plan = create_draft(operator, sids)

    rows = get_page(operator, plan, state="skipped").context["rows"]

    assert [row["sid"] for row in rows] == [sids[0]]


def test_htmx_gets_the_plan_as_a_fragment(operator, sids):
    plan = create_draft(operator, sids)

    text = operator.get(
        reverse("flows:plan", args=[plan.pk]), headers={"HX-Request": "true"}
    ).content.decode()

    assert "<html" not in text
    assert 'id="plan"' in text


def test_waiting_plan_names_the_worker_command(operator, sids):
    plan = create_draft(operator, sids)
    post_action(operator, plan, "start")
    Plan.objects.update(heartbeat_at="2026-11-01T00:00:00Z")

    assert "manage.py db_worker" in get_page(operator, plan).content.decode()


def test_polling_takes_the_same_queries_for_any_number_of_flows(operator, sandbox):
    def count_queries(count):
        created_sids = [sandbox.add_flow(enabled=True) for _ in range(count)]
        sync_account(ACCOUNT)
        plan = create_draft(operator, created_sids)
        post_action(operator, plan, "start")
        run_worker()
        with CaptureQueriesContext(connection) as queries:
            get_page(operator, plan)
        return len(queries)

    assert count_queries(2) == count_queries(12)


def test_erasure_empties_the_planned_change(sandbox, operator, actor):
    sid = sandbox.add_flow(
        friendly_name="Marta Example", contact_identity="+15550177", enabled=True
    )
    sync_account(ACCOUNT)
    plan = import_draft.plan_import(
        entries=[ImportEntry(sid, {"contact_identity": "+15550188"}, account_sid="")],
        created_by="omar",
    )

    erasure.erase(sid=sid, actor=actor)

    change = plan.changes.get()
    assert (change.friendly_name, change.before, change.requested) == ("", {}, {})
    assert change.skip_reason == "Personal data erased."
    assert get_page(operator, plan).status_code == 200


def test_draft_of_a_deletion_names_accounts_and_warns_about_sids(operator, sids_of_both):
    plan = create_draft(operator, sids_of_both, "delete")

    text = text_of(get_page(operator, plan))

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
        (str(summary["account"]), summary["text"])
        for summary in get_page(operator, plan).context["account_summaries"]
    ] == [
        ("production", "2 flows will be deleted"),
        ("staging", "1 flow will be deleted"),
    ]


def test_rows_have_account_identity_and_sid(operator, sids_of_both):
    text = text_of(get_page(operator, create_draft(operator, sids_of_both)))

    for sid in sids_of_both:
        assert f'<span title="{sid}">{sid[:6]}…{sid[-4:]}</span><button class="copy"' in squeezed(
            text
        )
    _, table = text.split('<table class="cards compare planned">')
    assert table.count("+14155550100") == 2
    assert len(re.findall(r'data-label="Account">\s*<span class="mark red"', text)) == 2


def test_finished_deletion_is_described_in_the_past_tense(operator, sandbox, sids_of_both):
    plan = create_draft(operator, sids_of_both, "delete")
    sandbox.edit_flow(sids_of_both[0], friendly_name="Renamed meanwhile")
    post_action(operator, plan, "start", confirm="3")
    run_worker()

    text = text_of(get_page(operator, plan))

    assert "2 of 3 flows deleted" in text
    assert "Finished: 1 conflict" in text
    assert text.count(">Deleted</span>") == 2
    assert text.count(">Not deleted</span>") == 1
    assert "in the meantime. Nothing was sent." in text
    assert "Retry 1 conflict…" in text
    assert "Will be" not in text


def test_deletion_with_a_lost_response_has_an_unknown_outcome(operator, sandbox, sids):
    plan = create_draft(operator, sids[:1], "delete")
    sandbox.inject(Fault(kind=FaultKind.APPLY_THEN_DROP, method="DELETE", times=None))
    post_action(operator, plan, "start", confirm="1")
    run_worker()

    text = text_of(get_page(operator, plan))

    assert "0 of 1 flow deleted" in text
    assert "May be deleted" in text
    assert "Unknown outcome" in text
    assert "Finished: 1 unknown outcome" in text


def test_title_names_the_account_if_there_are_several(operator, sids_of_both):
    assert (
        create_draft(operator, sids_of_both[:1], "retry_count", value="2").title
        == "Set the retry count of 1 flow in production to 2"
    )


def test_title_names_no_account_if_there_is_only_one(operator, sids):
    assert (
        create_draft(operator, sids, "studio_flow", value="FW" + "3" * 32).title
        == f"Route 3 flows to Studio Flow FW{'3' * 32}"
    )


def test_mixed_changes_are_counted_by_action(operator, sids_of_both):
    entries = [
        ImportEntry(sids_of_both[0], {"friendly_name": "Uno"}, account_sid=""),
        ImportEntry(
            values={"friendly_name": "Neu"},
            account_sid=Flow.objects.get(sid=sids_of_both[2]).account_sid,
        ),
    ]
    plan = import_draft.plan_import(entries=entries, created_by="operator")

    text = text_of(get_page(operator, plan))

    assert "Review: 1 flow will change, 1 will be created in production and staging" in text
    assert "Apply 2 changes in production and staging" in text
    assert plan.title == "Import: change 1 flow, create 1 flow in production and staging"


def test_other_flow_of_a_collision_is_linked_by_name(operator, sandbox):
    other = sandbox.add_flow(
        friendly_name="Cora", channel_type="sms", contact_identity="+14155550100", enabled=True
    )
    sid = sandbox.add_flow(
        friendly_name="Berta", channel_type="sms", contact_identity="+1 415 555 0100", enabled=False
    )
    sync_account(ACCOUNT)

    text = text_of(get_page(operator, create_draft(operator, [sid], "enable")))

    assert (
        f'<a href="/flows/{other}/">“Cora” ({other[:6]}…{other[-4:]})</a> is on for the same channel and identity.'
        in text
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("state=todo", "“todo” is not a state of a flow."),
        ("page=x", "“x” is not a page number."),
        ("state=%00", "is not a state"),
    ],
)
def test_invalid_state_or_page_shows_no_flows(operator, sids, query, message):
    page = operator.get(f"{reverse('flows:plan', args=[create_draft(operator, sids).pk])}?{query}")

    assert message in text_of(page)
    assert page.context["rows"] == []


def test_draft_shows_the_findings_that_it_would_create_and_resolve(operator, sandbox):
    shared = {"channel_type": "sms", "contact_identity": "+14155550100"}
    on = sandbox.add_flow(friendly_name="On <b>", enabled=True, **shared)
    odd = sandbox.add_flow(
        friendly_name="Off", enabled=False, **shared | {"contact_identity": "tel:+14155550100"}
    )
    sync_account(ACCOUNT)
    entry = ImportEntry(
        sid=odd, account_sid="", values={"contact_identity": "+1 (415) 555-0100", "enabled": True}
    )
    plan = import_draft.plan_import(entries=[entry], created_by="operator")
    plan.changes.update(skip_reason="")  # the draft itself skips what it can tell

    page = get_page(operator, plan)

    assert "Several flows are on for the same channel and contact identity (2)" in squeezed(
        text_of(page)
    )
    assert f'href="/flows/{on}/"' in text_of(page)
    assert "On &lt;b&gt;" in page.content.decode()


def test_draft_without_new_findings_says_so(operator, sids):
    page = get_page(operator, create_draft(operator, sids))

    assert "The checks would find nothing new, and nothing would be resolved." in squeezed(
        text_of(page)
    )


def test_finished_plan_has_no_preview_of_findings(operator, sids):
    plan = create_draft(operator, sids)
    post_action(operator, plan, "start")
    run_worker()

    page = get_page(operator, plan)

    assert page.context["has_finding_changes"] is False
