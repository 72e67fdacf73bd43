"""Flows selected in the list become a bulk change or an export."""

import pytest
from django.urls import reverse

from flows.audit.models import AuditEvent
from flows.mirror import flow_rows
from flows.mirror.sync import sync_account
from flows.plans import drafts
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.faults.acting import locked_log
from tests.flows.plans.views.pages import NEW, create_draft, text_of
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)


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

    assert [change.target_sid for change in Plan.objects.get().changes.all()] == [sids[0]]


def test_selection_becomes_a_plan(operator, sids):
    response = operator.post(NEW, {"sid": sids[:2], "sids": sids[2], "kind": "disable"})

    assert response.url == reverse("flows:plan", args=[Plan.objects.get().pk])
    assert {change.target_sid for change in Plan.objects.get().changes.all()} == set(sids)
    assert AuditEvent.objects.exclude(stage="observed").count() == 0


def test_all_matching_flows_are_selected_by_the_query(operator, sids):
    operator.post(NEW, {"all": "1", "query": "q=flow+1", "kind": "disable"})

    assert [change.target_sid for change in Plan.objects.get().changes.all()] == [sids[1]]


def test_empty_selection_returns_to_the_same_list(operator, sids):
    response = operator.post(NEW, {"query": "q=flow&sort=-name", "kind": "disable"}, follow=True)

    assert response.redirect_chain[0][0] == "/flows/?q=flow&sort=-name"
    assert "Select at least one flow." in response.content.decode()
    assert not Plan.objects.exists()


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

    plan = create_draft(operator, [], "disable", all="1", query="")

    assert plan.changes.filter(skip_reason="").count() == 2_600


@pytest.mark.parametrize(("kind", "invalid_value", "valid_value"), [
    ("retry_count", "4", "2"),
    ("retry_count", "", "0"),
    ("webhook_host", "https://hooks.example.com/", "hooks.example.com"),
    ("webhook_host", "a b", "hooks.example.com:8443"),
    ("studio_flow", "FW1", "FW" + "3" * 32),
])  # fmt: skip
def test_value_is_requested_and_validated(operator, sids, kind, invalid_value, valid_value):
    empty_form = operator.post(NEW, {"sid": sids, "kind": kind})
    refused = operator.post(NEW, {"sids": " ".join(sids), "kind": kind, "value": invalid_value})

    assert empty_form.status_code == 200
    assert "Fix 1 problem to continue" not in empty_form.content.decode()
    assert refused.status_code == 422
    assert f'value="{invalid_value}"' in refused.content.decode() or not invalid_value
    assert not Plan.objects.exists()
    assert create_draft(operator, sids, kind, value=valid_value).changes.count() == 3


def test_unknown_kind_is_refused(operator, sids):
    assert operator.post(NEW, {"sid": sids, "kind": "explode"}).status_code == 422
    assert not Plan.objects.exists()


def test_formulas_of_an_exported_csv_are_escaped(operator, sandbox):
    sid = sandbox.add_flow(friendly_name="=1+1")
    sync_account(ACCOUNT)

    text = operator.post("/flows/copy-out/", {"sid": [sid], "format": "csv"}).content.decode()

    assert text.startswith("\ufeffsid,account_sid,friendly_name")
    assert "'=1+1" in text


def test_export_that_cannot_be_logged_is_refused(operator, sids):
    with locked_log():
        response = operator.post("/flows/copy-out/", {"sid": sids, "format": "csv"})

    assert response.status_code == 302
