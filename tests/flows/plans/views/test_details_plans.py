"""The pages of bulk changes of owners and tags."""

import pytest

from flows.availability.models import Closure
from flows.local_details.fields import Details
from flows.local_details.reading import load_details
from tests import ACCOUNT
from tests.flows.local_details.changing import set_details
from tests.flows.plans.running import run_worker
from tests.flows.plans.views.pages import NEW, create_draft, get_page, post_action, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_owner_is_asked_for_with_those_that_flows_have(operator, sids):
    set_details(sids[0], owner="Claims")

    page = operator.post(NEW, {"sid": sids, "kind": "owner"})

    assert page.status_code == 200
    assert "Used so far: Claims. Leave it empty to remove the owner." in text_of(page)
    assert "3 flows selected" in text_of(page)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("owner", "x" * 61, "An owner can have 60 characters at most."),
        ("add_tag", "", "Enter at least one tag."),
        ("add_tag", "x" * 31, "too long"),
        ("remove_tag", " , ", "Enter at least one tag."),
    ],
)
def test_invalid_value_comes_back(operator, sids, kind, value, message):
    page = operator.post(NEW, {"sid": sids, "kind": kind, "value": value})

    assert page.status_code == 422
    assert message in text_of(page)


def test_review_names_old_and_new_and_says_that_nothing_is_sent(operator, sids):
    set_details(sids[0], owner="Sales")

    page = get_page(operator, create_draft(operator, sids, "owner", value=" Claims "))

    rows = page.context["rows"]
    assert [(row["differences"][0]["before"], row["differences"][0]["after"]) for row in rows] == [
        ("Sales", "Claims"), (None, "Claims"), (None, "Claims"),
    ]  # fmt: skip
    assert "Review: 3 flows will change" in text_of(page)
    assert "Owners and tags are kept here only, never sent to Twilio." in text_of(page)
    assert "is read from Twilio first" not in text_of(page)
    assert "Change 3 flows" in text_of(page)


def test_run_shows_its_result_and_can_be_rolled_back(operator, sids):
    plan = create_draft(operator, sids, "add_tag", value="VIP, lyon")
    post_action(operator, plan, "start", reason="Campaign")
    run_worker()

    page = get_page(operator, plan)

    assert "3 of 3 flows changed" in text_of(page)
    assert "Roll back…" in text_of(page)
    assert load_details(sids[0]) == Details(tags=("lyon", "vip"))
    rollback = post_action(operator, plan, "undo")
    assert "Roll back: Add the tags lyon, vip to 3 flows" in text_of(operator.get(rollback.url))


def test_they_stay_on_offer_while_twilio_refuses_changes(operator, sids):
    for kind in ("fetch", "update", "delete"):
        Closure.objects.create(
            account_sid=ACCOUNT, kind=kind, since="2026-11-25T00:00:00Z", status=410
        )

    page = text_of(operator.get("/flows/"))
    draft = get_page(operator, create_draft(operator, sids, "owner", value="Claims"))

    assert '<option value="owner">' in page
    assert '<option value="disable">' not in page
    assert draft.context["blocked_reason"] == ""


def test_viewer_is_offered_none_of_them(client_of, sids):
    assert '<option value="owner">' not in text_of(client_of("viewer").get("/flows/"))
